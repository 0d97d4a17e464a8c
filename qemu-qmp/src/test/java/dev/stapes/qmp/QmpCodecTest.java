package dev.stapes.qmp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.qmp.qemu.DeviceAdd;
import dev.stapes.qmp.qemu.QueryStatus;
import dev.stapes.qmp.qemu.StopEvent;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class QmpCodecTest {
  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void a_command_is_a_line_with_its_id() {
    assertEquals(
        "{\"execute\":\"query-status\",\"id\":7}\n",
        new String(QmpCodec.encode(QueryStatus.of(), 7), StandardCharsets.UTF_8));
    assertEquals(
        "{\"execute\":\"device_add\",\"arguments\":{\"driver\":\"nvme\"},\"id\":8}\n",
        new String(QmpCodec.encode(DeviceAdd.of("nvme"), 8), StandardCharsets.UTF_8));
  }

  @Test
  void a_command_that_was_written_can_be_read() {
    var read = QmpCodec.decode(QmpCodec.encode(DeviceAdd.of("nvme"), 1));
    assertEquals(
        List.of("device_add"), read.stream().map(m -> m.path("execute").asText()).toList());
  }

  @Test
  void several_messages_are_read_in_their_order() {
    var read = QmpCodec.decode(bytes("{\"return\": {}, \"id\": 1}\r\n{\"event\": \"STOP\"}\r\n"));
    assertEquals(2, read.size());
    assertEquals(1, read.get(0).path("id").asInt());
    assertEquals(
        new RawEvent("STOP", Instant.EPOCH, read.get(0).objectNode()), RawEvent.of(read.get(1)));
    assertEquals(List.of(), QmpCodec.decode(new byte[0]));
  }

  @Test
  void an_event_has_its_time() {
    var message =
        QmpCodec.decode(
                bytes(
                    "{\"event\": \"STOP\","
                        + " \"timestamp\": {\"seconds\": 9, \"microseconds\": 5}}"))
            .get(0);
    Instant at = Instant.ofEpochSecond(9, 5000);
    assertEquals(at, StopEvent.from(RawEvent.of(message)).at());
  }

  @Test
  void what_is_no_event_is_not_read_as_one() {
    for (String message : List.of("{}", "{\"event\": 1}", "{\"event\": \"A\", \"data\": []}")) {
      var read = QmpCodec.decode(bytes(message));
      assertThrows(QmpProtocolException.class, () -> RawEvent.of(read.get(0)), message);
    }
  }

  @Test
  void bytes_that_are_cut_or_no_messages_are_refused() {
    for (String text : List.of("{\"return\": {}", "[1]", "nothing", "{\"a\" 1}")) {
      var e = assertThrows(QmpProtocolException.class, () -> QmpCodec.decode(bytes(text)), text);
      assertTrue(String.valueOf(e.getMessage()).length() > 10, text);
    }
  }
}
