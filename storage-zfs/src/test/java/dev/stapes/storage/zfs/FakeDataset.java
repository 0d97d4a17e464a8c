package dev.stapes.storage.zfs;

import java.util.Map;
import java.util.TreeMap;

/** A dataset or snapshot that is not there; {@link FakeZfs} knows its name. */
final class FakeDataset {
  String origin = "";
  long blocks;
  long created;
  String content = "";
  boolean changed;
  boolean deferred;
  long guid;

  /** What came of a stream that has not ended. */
  byte[] came = new byte[0];

  final Map<String, String> properties = new TreeMap<>();
}
