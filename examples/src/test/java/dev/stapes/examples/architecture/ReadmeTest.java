package dev.stapes.examples.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What the README shows is what the examples compile and the tests run. */
class ReadmeTest {
  private static final Pattern BLOCK = Pattern.compile("(?s)```java\n(.*?)```");
  private static final Pattern COMMENT = Pattern.compile("//.*");
  private static final Pattern SPACE = Pattern.compile("\\s+");

  private final Project project = Project.here();

  @Test
  void every_sample_is_in_a_source_of_the_examples() {
    List<String> samples = samples();
    assertEquals(2, samples.size());
    List<String> sources = new ArrayList<>();
    project.mainSources("examples").forEach(file -> sources.add(bare(Project.read(file))));
    project.testSources("examples").forEach(file -> sources.add(bare(Project.read(file))));
    for (String sample : samples) {
      String bare = bare(sample);
      assertTrue(sources.stream().anyMatch(source -> source.contains(bare)), sample);
    }
  }

  private List<String> samples() {
    List<String> samples = new ArrayList<>();
    Matcher block = BLOCK.matcher(Project.read(project.root().resolve("README.md")));
    while (block.find()) {
      samples.add(block.group(1));
    }
    return samples;
  }

  /** Without comments, and without white space, which the formatter has its own ideas about. */
  private static String bare(String source) {
    return SPACE.matcher(COMMENT.matcher(source).replaceAll("")).replaceAll("");
  }
}
