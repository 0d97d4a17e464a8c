package dev.stapes.examples.architecture;

import com.sun.source.tree.AnnotationTree;
import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.ImportTree;
import com.sun.source.tree.LineMap;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.NewClassTree;
import com.sun.source.tree.Tree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.SourcePositions;
import com.sun.source.util.TreePath;
import com.sun.source.util.TreePathScanner;
import com.sun.source.util.Trees;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import javax.lang.model.element.Modifier;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.jspecify.annotations.Nullable;

/** What a source file may look like. Pure: text in, findings out. */
final class SourceRules {
  static final int LINES_OF_A_FILE = 500;
  static final int LINES_OF_A_METHOD = 60;

  /** Whole words in a camel-case name; Metadata and Database are words of their own. */
  private static final Pattern EMPTY_WORDS =
      Pattern.compile("(?:^|(?<=[a-z0-9]))(?:Manager|Helper|Utils?|Impl|Data)(?=[A-Z0-9]|$)");

  private static final Pattern SENTENCE = Pattern.compile("[a-z][a-zA-Z0-9]*(?:_[a-zA-Z0-9]+)+");

  private static final Set<String> UNTYPED =
      Set.of("Throwable", "Error", "Exception", "RuntimeException");

  private static final Set<String> TESTS =
      Set.of(
          "Test",
          "ParameterizedTest",
          "RepeatedTest",
          "TestFactory",
          "TestTemplate",
          "Property",
          "Example");

  /**
   * Tests say what they need with the conditions of testkit, which turn a skip into a failure on
   * request.
   */
  private static final Set<String> SILENT_SKIPS =
      Set.of(
          "org.junit.jupiter.api.Disabled",
          "org.junit.jupiter.api.Assumptions",
          "org.junit.Assume",
          "net.jqwik.api.Disabled",
          "org.opentest4j.TestAbortedException");

  private SourceRules() {}

  enum Kind {
    /** Code that is shipped. */
    MAIN,
    /**
     * Shipped too; its contracts skip what a driver does not offer, which is no requirement of the
     * machine.
     */
    TESTKIT,
    TEST
  }

  /** One public or package-private type at the top level of a file. */
  record TopLevelType(String name, boolean isPublic) {}

  record Report(List<TopLevelType> types, List<String> findings) {}

  /**
   * Looks at one source file.
   *
   * @param name how findings name the file
   */
  static Report inspect(String name, String text, Kind kind) {
    String[] lines = text.split("\n", -1);
    Scanner scanner = new Scanner(name, lines, kind);
    int count = text.endsWith("\n") ? lines.length - 1 : lines.length;
    if (count > LINES_OF_A_FILE) {
      scanner.findings.add(name + ": " + count + " lines, at most " + LINES_OF_A_FILE);
    }
    scanner.scan(text);
    return new Report(List.copyOf(scanner.types), List.copyOf(scanner.findings));
  }

  private static final class Scanner extends TreePathScanner<@Nullable Void, @Nullable Void> {
    private static final JavaCompiler COMPILER = ToolProvider.getSystemJavaCompiler();

    /** One for all: opening the JDK's modules anew for each file is most of the time. */
    private static final JavaFileManager FILES = COMPILER.getStandardFileManager(null, null, null);

    private final String name;
    private final String[] lines;
    private final Kind kind;
    private final List<TopLevelType> types = new ArrayList<>();
    private final List<String> findings = new ArrayList<>();
    private @Nullable CompilationUnitTree unit;
    private @Nullable SourcePositions positions;

    Scanner(String name, String[] lines, Kind kind) {
      this.name = name;
      this.lines = lines;
      this.kind = kind;
    }

    void scan(String text) {
      JavacTask task =
          (JavacTask)
              COMPILER.getTask(
                  null,
                  FILES,
                  problem -> findings.add(name + ": " + problem),
                  List.of("-proc:none"),
                  null,
                  List.of(new Source(text)));
      try {
        for (CompilationUnitTree parsed : task.parse()) {
          unit = parsed;
          positions = Trees.instance(task).getSourcePositions();
          scan(parsed, null);
        }
      } catch (IOException e) {
        throw new UncheckedIOException(name, e);
      }
    }

    @Override
    public @Nullable Void visitImport(ImportTree tree, @Nullable Void unused) {
      String imported = tree.getQualifiedIdentifier().toString();
      if (kind != Kind.TESTKIT
          && SILENT_SKIPS.stream()
              .anyMatch(skip -> imported.equals(skip) || imported.startsWith(skip + "."))) {
        find(
            tree,
            "imports "
                + imported
                + ": a skip states its requirement (@RequiresRoot, @RequiresTool, ...)");
      }
      return super.visitImport(tree, null);
    }

    @Override
    public @Nullable Void visitClass(ClassTree tree, @Nullable Void unused) {
      String type = tree.getSimpleName().toString();
      if (EMPTY_WORDS.matcher(type).find()) {
        find(
            tree,
            "the name "
                + type
                + " has a word that says nothing (Manager, Helper, Util, Impl, Data)");
      }
      if (getCurrentPath().getParentPath().getLeaf() instanceof CompilationUnitTree) {
        types.add(new TopLevelType(type, tree.getModifiers().getFlags().contains(Modifier.PUBLIC)));
      }
      return super.visitClass(tree, null);
    }

    @Override
    public @Nullable Void visitMethod(MethodTree tree, @Nullable Void unused) {
      long length = lastLine(tree) - firstLine(tree) + 1;
      if (length > LINES_OF_A_METHOD) {
        find(tree, tree.getName() + " has " + length + " lines, at most " + LINES_OF_A_METHOD);
      }
      boolean isTest = !isFixture() && isAnnotatedAsTest(tree);
      if (isTest && !SENTENCE.matcher(tree.getName()).matches()) {
        find(
            tree,
            "the test " + tree.getName() + " is no sentence (a_failed_fill_leaves_no_volume)");
      }
      return super.visitMethod(tree, null);
    }

    @Override
    public @Nullable Void visitAnnotation(AnnotationTree tree, @Nullable Void unused) {
      if (tree.getAnnotationType().toString().equals("SuppressWarnings") && !hasReason(tree)) {
        find(
            tree,
            "@SuppressWarnings without a comment that says why, on its line or the one above");
      }
      return super.visitAnnotation(tree, null);
    }

    @Override
    public @Nullable Void visitNewClass(NewClassTree tree, @Nullable Void unused) {
      String type = tree.getIdentifier().toString();
      if (kind != Kind.TEST && UNTYPED.contains(type)) {
        find(tree, "new " + type + ": errors are typed (StapesException in core and drivers)");
      }
      return super.visitNewClass(tree, null);
    }

    private static boolean isAnnotatedAsTest(MethodTree tree) {
      return tree.getModifiers().getAnnotations().stream()
          .anyMatch(annotation -> TESTS.contains(annotation.getAnnotationType().toString()));
    }

    /** A static nested class with tests is run by a test, as its input. */
    private boolean isFixture() {
      for (TreePath path = getCurrentPath(); path != null; path = path.getParentPath()) {
        if (path.getLeaf() instanceof ClassTree type
            && type.getModifiers().getFlags().contains(Modifier.STATIC)) {
          return true;
        }
      }
      return false;
    }

    private boolean hasReason(AnnotationTree tree) {
      int first = (int) firstLine(tree) - 1;
      int last = (int) lastLine(tree) - 1;
      return lines[last].contains("//") || (first > 0 && lines[first - 1].strip().startsWith("//"));
    }

    private long firstLine(Tree tree) {
      return lineMap().getLineNumber(positions().getStartPosition(unit(), tree));
    }

    private long lastLine(Tree tree) {
      return lineMap().getLineNumber(positions().getEndPosition(unit(), tree));
    }

    private void find(Tree tree, String finding) {
      findings.add(name + ":" + firstLine(tree) + ": " + finding);
    }

    private LineMap lineMap() {
      return unit().getLineMap();
    }

    private CompilationUnitTree unit() {
      return Objects.requireNonNull(unit);
    }

    private SourcePositions positions() {
      return Objects.requireNonNull(positions);
    }
  }

  private static final class Source extends SimpleJavaFileObject {
    private final String text;

    Source(String text) {
      super(URI.create("string:///Source.java"), JavaFileObject.Kind.SOURCE);
      this.text = text;
    }

    @Override
    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
      return text;
    }
  }
}
