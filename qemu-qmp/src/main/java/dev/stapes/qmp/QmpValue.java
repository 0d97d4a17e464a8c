package dev.stapes.qmp;

import com.fasterxml.jackson.databind.JsonNode;

/** A value of a schema. */
public interface QmpValue {
  /** As the protocol has it; new each time. */
  JsonNode toJson();
}
