package dev.stapes.qmp;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;

/**
 * Any event, by its name.
 *
 * @param eventName in the protocol
 * @param at when, by the clock of the other side
 * @param data of it; empty where it has none; not copied: nobody changes it
 */
public record RawEvent(String eventName, Instant at, ObjectNode data) implements QmpEvent {}
