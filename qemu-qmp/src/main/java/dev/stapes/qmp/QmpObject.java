package dev.stapes.qmp;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;

/** An object of a schema: members that are known, and what else was there. */
public interface QmpObject extends QmpValue {
  @Override
  ObjectNode toJson();

  /**
   * What the members of the Java type cannot hold, by the names in the protocol: members that the
   * schema does not know, values that an enum does not know, and whole numbers above {@link
   * Long#MAX_VALUE} (the Java member has their 64 bits). They are written as they are here, in the
   * place of what the Java member says.
   */
  Map<String, JsonNode> unknownMembers();
}
