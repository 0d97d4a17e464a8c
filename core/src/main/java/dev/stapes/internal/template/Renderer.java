package dev.stapes.internal.template;

import dev.stapes.model.StapesException;
import io.pebbletemplates.pebble.PebbleEngine;
import io.pebbletemplates.pebble.attributes.AttributeResolver;
import io.pebbletemplates.pebble.error.PebbleException;
import io.pebbletemplates.pebble.extension.Extension;
import io.pebbletemplates.pebble.extension.ExtensionCustomizer;
import io.pebbletemplates.pebble.extension.Filter;
import io.pebbletemplates.pebble.extension.Function;
import io.pebbletemplates.pebble.extension.NodeVisitorFactory;
import io.pebbletemplates.pebble.extension.Test;
import io.pebbletemplates.pebble.loader.StringLoader;
import io.pebbletemplates.pebble.tokenParser.TokenParser;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** Renders templates that nobody trusts. Any number of threads may do so at once. */
public final class Renderer {
  /** The most characters that a template may have, and give. */
  public static final int LIMIT = 1 << 20;

  private static final Set<String> TAGS = Set.of("if", "for");

  private static final PebbleEngine ENGINE =
      new PebbleEngine.Builder()
          .loader(new StringLoader())
          .cacheActive(false)
          .autoEscaping(false)
          .newLineTrimming(false)
          .defaultLocale(Locale.ROOT)
          .maxRenderedSize(LIMIT)
          .methodAccessValidator((object, method) -> false)
          .registerExtensionCustomizer(Bare::new)
          .extension(new Functions())
          .build();

  private Renderer() {}

  /**
   * Renders a template.
   *
   * @param given of the names trigger, path, container, instance, config, devices and properties;
   *     texts, and maps of them
   * @throws StapesException INVALID where it is no template, UNSUPPORTED where it uses what is not
   *     translated, EXHAUSTED where it is too large or does too much; the subject is the line
   */
  public static String render(String template, Map<String, ?> given) {
    if (template.length() > LIMIT) {
      throw new StapesException(
          StapesException.Kind.EXHAUSTED,
          "line 1",
          "the template has more than the allowed " + LIMIT + " characters");
    }
    Translation translation = Translation.of(template);
    Map<String, Object> variables = new HashMap<>(translation.texts());
    Names.GIVEN.forEach(name -> variables.put(Names.given(name), given.get(name)));
    variables.put(Meter.NAME, new Meter(LIMIT));
    StringWriter out = new StringWriter();
    try {
      ENGINE.getLiteralTemplate(translation.source()).evaluate(out, variables, Locale.ROOT);
    } catch (PebbleException e) {
      throw explained(e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toString();
  }

  /** What a function of ours says stands somewhere below. */
  private static RuntimeException explained(PebbleException e) {
    Throwable at = e;
    for (int i = 0; i < 8 && at != null; i++, at = at.getCause()) {
      if (at instanceof StapesException ours) {
        return ours;
      }
    }
    return new StapesException(
        StapesException.Kind.INVALID,
        "line " + (e.getLineNumber() == null ? "?" : e.getLineNumber()),
        "cannot be rendered: " + e.getPebbleMessage(),
        e);
  }

  /** Pebble without all that it has but {@code if} and {@code for}. */
  private static final class Bare extends ExtensionCustomizer {
    Bare(Extension whole) {
      super(whole);
    }

    @Override
    public Map<String, Filter> getFilters() {
      return Map.of();
    }

    @Override
    public Map<String, Test> getTests() {
      return Map.of();
    }

    @Override
    public Map<String, Function> getFunctions() {
      return Map.of();
    }

    @Override
    public List<TokenParser> getTokenParsers() {
      List<TokenParser> whole = super.getTokenParsers();
      return whole == null
          ? List.of()
          : whole.stream().filter(parser -> TAGS.contains(parser.getTag())).toList();
    }

    @Override
    public Map<String, Object> getGlobalVariables() {
      return Map.of();
    }

    @Override
    public List<NodeVisitorFactory> getNodeVisitors() {
      return List.of();
    }

    @Override
    public List<AttributeResolver> getAttributeResolver() {
      return List.of();
    }
  }
}
