package dev.stapes.internal.image.disk;

import dev.stapes.model.StapesException;
import java.io.ByteArrayInputStream;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;

/**
 * The description of a machine that an OVA begins with, DMTF DSP0243.
 *
 * @param disk the file of the disk that it boots from: the first one that it has
 * @param properties what it says of CPUs and memory, in Incus' words
 */
public record Ovf(String disk, SortedMap<String, String> properties) {
  /** Copies. */
  public Ovf {
    properties = Collections.unmodifiableSortedMap(new TreeMap<>(properties));
  }

  /**
   * Reads it.
   *
   * @param subject what errors are about
   * @throws StapesException INVALID where it is none, or of no machine with a disk in a file beside
   *     it; UNSUPPORTED where it is of several, or its disk is packed once more
   */
  public static Ovf read(byte[] xml, String subject) {
    XMLInputFactory factory = XMLInputFactory.newDefaultFactory();
    factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
    factory.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
    factory.setProperty(XMLInputFactory.IS_NAMESPACE_AWARE, true);
    Reading reading = new Reading(subject);
    try {
      XMLStreamReader reader = factory.createXMLStreamReader(new ByteArrayInputStream(xml));
      while (reader.hasNext()) {
        int event = reader.next();
        if (event == XMLStreamConstants.START_ELEMENT) {
          reading.begins(reader);
        } else if (event == XMLStreamConstants.CHARACTERS) {
          reading.text.append(reader.getText());
        } else if (event == XMLStreamConstants.END_ELEMENT) {
          reading.ends(reader.getLocalName());
        } else if (event == XMLStreamConstants.DTD) {
          throw StapesException.invalid(subject, "its OVF has a document type");
        }
      }
      reader.close();
    } catch (XMLStreamException e) {
      throw new StapesException(
          StapesException.Kind.INVALID, subject, "its OVF is no XML: " + e.getMessage(), e);
    }
    return reading.result();
  }

  /** One document. */
  private static final class Reading {
    private static final String CPU = "3";
    private static final String MEMORY = "4";
    private static final String DISK = "17";

    private final String subject;
    private final StringBuilder text = new StringBuilder();
    private final Map<String, Map<String, String>> files = new HashMap<>();
    private final Map<String, String> disks = new LinkedHashMap<>();
    private final Map<String, String> item = new HashMap<>();
    private final SortedMap<String, String> properties = new TreeMap<>();
    private String boot = "";
    private int machines;

    Reading(String subject) {
      this.subject = subject;
    }

    void begins(XMLStreamReader element) {
      text.setLength(0);
      switch (element.getLocalName()) {
        case "File" -> files.put(attribute(element, "id"), attributes(element));
        case "Disk" -> {
          if (!attribute(element, "parentRef").isEmpty()) {
            throw StapesException.invalid(subject, "its disk holds what differs from another");
          }
          disks.put(attribute(element, "diskId"), attribute(element, "fileRef"));
        }
        case "VirtualSystem" -> machines++;
        case "Item", "StorageItem" -> item.clear();
        default -> {}
      }
    }

    private static String attribute(XMLStreamReader element, String name) {
      return attributes(element).getOrDefault(name, "");
    }

    private static Map<String, String> attributes(XMLStreamReader element) {
      Map<String, String> all = new HashMap<>();
      for (int i = 0; i < element.getAttributeCount(); i++) {
        all.put(element.getAttributeLocalName(i), element.getAttributeValue(i));
      }
      return all;
    }

    void ends(String element) {
      switch (element) {
        case "ResourceType", "HostResource", "VirtualQuantity", "AllocationUnits" ->
            item.put(element, text.toString().strip());
        case "Item", "StorageItem" -> item();
        default -> {}
      }
    }

    private void item() {
      String quantity = item.getOrDefault("VirtualQuantity", "");
      switch (item.getOrDefault("ResourceType", "")) {
        case CPU -> number(quantity, "limits.cpu", "");
        case MEMORY -> {
          String unit = item.getOrDefault("AllocationUnits", "").toLowerCase(Locale.ROOT);
          if (unit.replace(" ", "").equals("byte*2^20") || unit.startsWith("mega")) {
            number(quantity, "limits.memory", "MiB");
          }
        }
        case DISK -> {
          String resource = item.getOrDefault("HostResource", "");
          if (boot.isEmpty() && resource.contains("/disk/")) {
            boot = resource.substring(resource.lastIndexOf('/') + 1);
          }
        }
        default -> {}
      }
    }

    private void number(String quantity, String key, String unit) {
      if (quantity.matches("[1-9][0-9]{0,8}")) {
        properties.put(key, quantity + unit);
      }
    }

    Ovf result() {
      if (machines != 1) {
        throw new StapesException(
            machines == 0 ? StapesException.Kind.INVALID : StapesException.Kind.UNSUPPORTED,
            subject,
            "describes " + machines + " machines, not one");
      }
      String disk = boot.isEmpty() ? disks.keySet().stream().findFirst().orElse("") : boot;
      Map<String, String> file = files.getOrDefault(disks.getOrDefault(disk, ""), Map.of());
      String name = file.getOrDefault("href", "");
      if (name.isEmpty() || name.contains("/") || name.contains(":")) {
        throw StapesException.invalid(subject, "its machine has no disk in a file beside the OVF");
      }
      String packed = file.getOrDefault("compression", "identity");
      if (!packed.equals("identity") || file.containsKey("chunkSize")) {
        throw new StapesException(
            StapesException.Kind.UNSUPPORTED,
            subject,
            "its disk is compressed once more, or in several pieces");
      }
      return new Ovf(name, properties);
    }
  }
}
