package dev.stapes.benchmarks.storage;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/** Volumes that are nothing but what was asked for. */
final class RecordedVolumes implements Volumes {
  private final Path directory;
  private final List<String> said = Collections.synchronizedList(new ArrayList<>());
  private String broken = "";

  RecordedVolumes(Path directory) {
    this.directory = directory;
  }

  /** From now on what is said so fails. */
  void fail(String what) {
    broken = what;
  }

  /** What was asked for since the last time. */
  List<String> said() {
    List<String> all = List.copyOf(said);
    said.clear();
    return all;
  }

  private void say(String what) throws IOException {
    if (what.equals(broken)) {
      throw new IOException("broken: " + what);
    }
    said.add(what);
  }

  @Override
  public String name() {
    return "recorded";
  }

  @Override
  public String description() {
    return "nothing";
  }

  @Override
  public boolean inProcess() {
    return true;
  }

  @Override
  public void create(String volume) throws IOException {
    say("create " + volume);
  }

  @Override
  public void snapshot(String volume, String snapshot) throws IOException {
    say("snapshot " + volume + " " + snapshot);
  }

  @Override
  public void cloneOf(String volume, String snapshot, String target) throws IOException {
    say("clone " + volume + " " + snapshot + " " + target);
  }

  @Override
  public void restore(String volume, String snapshot) throws IOException {
    say("restore " + volume + " " + snapshot);
  }

  @Override
  public void delete(String volume) throws IOException {
    say("delete " + volume);
  }

  @Override
  public void deleteSnapshot(String volume, String snapshot) throws IOException {
    say("delete " + volume + " " + snapshot);
  }

  @Override
  public void reclaim() throws IOException {
    say("reclaim");
  }

  @Override
  public Opened open(String volume) throws IOException {
    say("open " + volume);
    Path path = Files.createDirectories(directory.resolve(volume));
    return new Opened() {
      @Override
      public Path path() {
        return path;
      }

      @Override
      public void close() throws IOException {
        say("close " + volume);
      }
    };
  }

  @Override
  public void unpack(Path archive, String volume) throws IOException {
    say("unpack " + volume);
  }

  @Override
  public Optional<Streams> streams() {
    return Optional.of(
        new Streams() {
          @Override
          public void send(String volume, String snapshot, Optional<String> base, OutputStream out)
              throws IOException {
            say("send " + volume + " " + snapshot + base.map(each -> " " + each).orElse(""));
          }

          @Override
          public void receive(String target, InputStream in) throws IOException {
            say("receive " + target);
          }

          @Override
          public void deleteReceived(String target) throws IOException {
            say("delete received " + target);
          }
        });
  }

  @Override
  public void close() {}
}
