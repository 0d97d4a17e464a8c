package dev.stapes.benchmarks.storage;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A subject: volumes and their snapshots, by name. Implemented by a pool of Stapes, and by the bare
 * commands that a person would type to the same end.
 */
interface Volumes extends AutoCloseable {
  /** Its name in the results. */
  String name();

  /** What it is and lies on, for the report. */
  String description();

  /** Whether it runs within this JVM, which is to compile it first. */
  boolean inProcess();

  /** Makes an empty volume. */
  void create(String volume) throws IOException, InterruptedException;

  /** Makes a snapshot. */
  void snapshot(String volume, String snapshot) throws IOException, InterruptedException;

  /** Makes a volume out of a snapshot. Called by several threads at once. */
  void cloneOf(String volume, String snapshot, String target)
      throws IOException, InterruptedException;

  /** Puts a volume back; the snapshot stays. */
  void restore(String volume, String snapshot) throws IOException, InterruptedException;

  /** Removes a volume that has no snapshots. Called by several threads at once. */
  void delete(String volume) throws IOException, InterruptedException;

  /** Removes a snapshot. */
  void deleteSnapshot(String volume, String snapshot) throws IOException, InterruptedException;

  /** Removes several snapshots, in as few steps as there are. */
  default void deleteSnapshots(String volume, List<String> snapshots)
      throws IOException, InterruptedException {
    for (String snapshot : snapshots) {
      deleteSnapshot(volume, snapshot);
    }
  }

  /** Gets the space of what was deleted back, or at least on its way. */
  void reclaim() throws IOException, InterruptedException;

  /** The files of a volume. */
  Opened open(String volume) throws IOException, InterruptedException;

  /** Unpacks what is below {@code rootfs/} of a tar into an empty volume. */
  void unpack(Path archive, String volume) throws IOException, InterruptedException;

  /** Snapshots as streams, where they can be. */
  Optional<Streams> streams();

  /** Removes everything. */
  @Override
  void close() throws IOException, InterruptedException;

  /** The files of a volume while they are open. */
  interface Opened extends AutoCloseable {
    /** Where this JVM finds them. */
    Path path();

    @Override
    void close() throws IOException;
  }

  /** Snapshots as streams. */
  interface Streams {
    /**
     * Writes one.
     *
     * @param base another of the volume, to write only what differs from it
     */
    void send(String volume, String snapshot, Optional<String> base, OutputStream out)
        throws IOException, InterruptedException;

    /** Makes something read-only of a stream that was sent without a base. */
    void receive(String target, InputStream in) throws IOException, InterruptedException;

    /** Removes what was received. */
    void deleteReceived(String target) throws IOException, InterruptedException;
  }
}
