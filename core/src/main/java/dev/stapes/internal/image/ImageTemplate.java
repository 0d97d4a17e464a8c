package dev.stapes.internal.image;

import java.util.Collections;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A file that is made in an instance of an image before it starts.
 *
 * @param path in the root file system, absolute
 * @param when the triggers: {@code create}, {@code copy}, {@code rename}, {@code start}; copied
 * @param createOnly whether a file that is there stays as it is
 * @param template its name in the image
 * @param properties what the template is given beside all else; copied
 * @param uid owner of a new file
 * @param gid group of a new file
 * @param mode permission bits of a new file
 * @param text the template itself
 */
public record ImageTemplate(
    String path,
    Set<String> when,
    boolean createOnly,
    String template,
    SortedMap<String, String> properties,
    long uid,
    long gid,
    int mode,
    String text) {
  /** Copies. */
  public ImageTemplate {
    when = Collections.unmodifiableSortedSet(new TreeSet<>(when));
    properties = Collections.unmodifiableSortedMap(new TreeMap<>(properties));
  }

  ImageTemplate withText(String content) {
    return new ImageTemplate(path, when, createOnly, template, properties, uid, gid, mode, content);
  }
}
