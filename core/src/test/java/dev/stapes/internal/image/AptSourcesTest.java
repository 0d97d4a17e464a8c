package dev.stapes.internal.image;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AptSourcesTest {
  private final Path root;

  AptSourcesTest(@TempDir Path root) throws IOException {
    this.root = root;
    Files.createDirectories(root.resolve("etc/apt/sources.list.d"));
    Files.createDirectories(root.resolve("etc/apt/mirrors"));
  }

  private Path local(Path path) {
    return root.resolve(Path.of("/").relativize(path));
  }

  private void file(String name, String content) throws IOException {
    Files.writeString(root.resolve("etc/apt").resolve(name), content);
  }

  private String mirror(String suite) {
    return AptSources.read(this::local)
        .mirror(suite, "bookworm", this::local)
        .map(AptSources.Mirror::uri)
        .orElse("none");
  }

  @Test
  void one_line_sources_are_read() throws IOException {
    file(
        "sources.list",
        """
        # deb http://comment.invalid/ trixie main
        deb-src http://source.invalid/debian trixie main
        deb [arch=amd64 signed-by=/usr/share/keyrings/k.gpg] http://a.invalid/debian trixie main contrib # x
        deb\thttp://b.invalid/debian-security bookworm-security main
        deb http://c.invalid/vendor ./
        deb http://d.invalid/debian bookworm main
        deb [broken http://e.invalid bookworm main
        """);
    assertEquals("http://a.invalid/debian", mirror("trixie"));
    assertEquals("http://d.invalid/debian", mirror("bookworm"));
    assertEquals("http://d.invalid/debian", mirror("forky"), "the machine's own");
    assertEquals(
        Optional.of("/usr/share/keyrings/k.gpg"),
        AptSources.read(this::local)
            .mirror("trixie", "", this::local)
            .flatMap(AptSources.Mirror::keyring));
  }

  @Test
  void paragraphs_are_read() throws IOException {
    file(
        "sources.list.d/debian.sources",
        """
        # the mirror
        Types: deb deb-src
        URIs: http://a.invalid/debian
        Suites: bookworm bookworm-updates
        Components: main
          contrib
        Signed-By:
         -----BEGIN PGP PUBLIC KEY BLOCK-----
         .

        Types: deb
        Enabled: no
        URIs: http://b.invalid/debian
        Suites: trixie
        Components: main

        Types: deb-src
        URIs: http://c.invalid/debian
        Suites: sid
        Components: main
        """);
    file("sources.list.d/other.sources.save", "deb http://x.invalid trixie main");
    List<AptSources.Source> sources =
        AptSources.deb822(Files.readString(root.resolve("etc/apt/sources.list.d/debian.sources")));
    assertEquals(
        List.of(
            new AptSources.Source(
                "http://a.invalid/debian",
                List.of("bookworm", "bookworm-updates"),
                List.of("main", "contrib"),
                Optional.empty())),
        sources);
    assertEquals("http://a.invalid/debian", mirror("trixie"));
  }

  @Test
  void a_list_of_mirrors_gives_its_first_one() throws IOException {
    file(
        "mirrors/debian.list", "# list\n\nhttp://m.invalid/debian priority:1\nhttp://n.invalid/\n");
    file("sources.list", "deb mirror+file:///etc/apt/mirrors/debian.list trixie main\n");
    assertEquals("http://m.invalid/debian", mirror("trixie"));
  }

  @Test
  void what_debootstrap_cannot_fetch_is_passed_over() throws IOException {
    file(
        "sources.list",
        """
        deb cdrom:[Debian]/ trixie main
        deb tor+http://t.invalid/debian trixie main
        deb http://v.invalid/vendor trixie vendor
        deb file:/srv/debian trixie main
        """);
    assertEquals("file:/srv/debian", mirror("trixie"));
    file("sources.list", "deb http://v.invalid/vendor nodistro main\n");
    assertEquals("none", mirror("trixie"));
  }
}
