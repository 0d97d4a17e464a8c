package dev.stapes.benchmarks.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.StringReader;
import java.util.List;
import java.util.Map;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

class ReportTest {
  private static final String HOSTILE = "a<script>alert('1')</script>&\"b";

  private static Document parse(String page) throws Exception {
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new InputSource(new StringReader(page)));
  }

  @Test
  void the_page_is_well_formed_and_needs_nothing_from_elsewhere() throws Exception {
    String page = Report.of(Samples.results(false, "btrfs", "btrfs-bare", "dir"));
    Document document = parse(page);
    for (String tag : List.of("script", "link", "img", "iframe", "object", "use", "image")) {
      assertEquals(0, document.getElementsByTagName(tag).getLength(), tag);
    }
    for (String reference : List.of("http", "url(", "@import", "src=", "href=")) {
      assertFalse(page.contains(reference), reference);
    }
  }

  @Test
  void names_and_reasons_are_escaped() throws Exception {
    Document document = parse(Report.of(Samples.results(false, HOSTILE, "b", "c")));
    assertEquals(0, document.getElementsByTagName("script").getLength());
    String text = document.getDocumentElement().getTextContent();
    assertTrue(text.contains(HOSTILE), text);
    assertTrue(text.contains("<fast> & \"new\""), text);
    assertTrue(text.contains("exit code 1: <nothing>\ufffd"), text);
  }

  @Test
  void each_path_has_a_plot_with_each_subject() throws Exception {
    Document document = parse(Report.of(Samples.results(false, "btrfs", "btrfs-bare", "dir")));
    NodeList plots = document.getElementsByTagName("svg");
    assertEquals(3, plots.getLength());
    Element bars = (Element) plots.item(0);
    assertEquals("Create an empty volume (ms)", bars.getAttribute("aria-label"));
    assertEquals(3, bars.getElementsByTagName("rect").getLength());
    Element lines = (Element) plots.item(1);
    assertEquals(3, lines.getElementsByTagName("polyline").getLength());
    assertEquals(6, lines.getElementsByTagName("circle").getLength());
  }

  @Test
  void nothing_is_drawn_outside_of_its_plot() throws Exception {
    NodeList plots =
        parse(Report.of(Samples.results(false, "btrfs", "btrfs-bare", "a-rather-long-name")))
            .getElementsByTagName("svg");
    for (int i = 0; i < plots.getLength(); i++) {
      Element plot = (Element) plots.item(i);
      double width = Double.parseDouble(plot.getAttribute("width"));
      NodeList all = plot.getElementsByTagName("*");
      for (int j = 0; j < all.getLength(); j++) {
        for (String attribute : List.of("x", "x1", "x2", "cx")) {
          String x = ((Element) all.item(j)).getAttribute(attribute);
          assertTrue(x.isEmpty() || in(x, width), () -> attribute + "=" + x);
        }
      }
    }
  }

  private static boolean in(String coordinate, double most) {
    double at = Double.parseDouble(coordinate);
    return at >= 0 && at <= most;
  }

  @Test
  void what_was_interrupted_or_is_empty_is_a_page_too() throws Exception {
    String cut = Report.of(Samples.results(true, "a", "b", "c"));
    assertTrue(cut.contains(Results.CUT_SHORT));
    Results none =
        new Results(1, true, Map.of(), List.of(), List.of(), Map.of("zfs", "no"), Map.of());
    assertTrue(parse(Report.of(none)).getDocumentElement().getTextContent().contains("zfs: no"));
  }

  @Test
  void markup_that_is_not_closed_is_a_mistake() {
    assertThrows(IllegalStateException.class, () -> new Markup().open("p").toString());
  }
}
