package dev.stapes.qmp.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.stapes.qmp.QmpProtocolException;
import dev.stapes.qmp.RawEvent;
import dev.stapes.qmp.guest.GuestExec;
import dev.stapes.qmp.guest.GuestExecStarted;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class UnknownMembersTest {
  @Test
  void an_unknown_member_is_kept_and_written_again() {
    JsonNode json = json("{'running':true,'status':'running','mood':'good'}");
    StatusInfo info = StatusInfo.fromJson(json);
    assertEquals(RunState.RUNNING, info.status());
    assertEquals(Map.of("mood", new TextNode("good")), info.unknownMembers());
    assertEquals(json, info.toJson());
  }

  @Test
  void an_unknown_value_of_an_enum_is_kept_beside_it_until_another_is_set() {
    JsonNode json = json("{'running':true,'status':'dreaming'}");
    StatusInfo info = StatusInfo.fromJson(json);
    assertEquals(RunState.UNRECOGNIZED, info.status());
    assertEquals(Map.of("status", new TextNode("dreaming")), info.unknownMembers());
    assertEquals(json, info.toJson());
    assertEquals(json, info.toBuilder().build().toJson());
    assertEquals(
        json("{'running':true,'status':'paused'}"),
        info.toBuilder().status(RunState.PAUSED).build().toJson());
  }

  @Test
  void an_unknown_value_is_not_written_without_its_text() {
    StatusInfo info = StatusInfo.of(true, RunState.UNRECOGNIZED);
    assertEquals(
        "RunState.UNRECOGNIZED cannot be written",
        assertThrows(IllegalArgumentException.class, info::toJson).getMessage());
  }

  @Test
  void a_number_of_64_bits_without_a_sign_keeps_its_bits_and_is_written_again() {
    JsonNode json = json("{'actual':18446744073709551615}");
    BalloonInfo info = BalloonInfo.fromJson(json);
    assertEquals(-1, info.actual());
    assertEquals(json, info.toJson());
    assertEquals(
        "BalloonInfo.actual: expected a whole number of 64 bits, not 18446744073709551616",
        assertThrows(
                QmpProtocolException.class,
                () -> BalloonInfo.fromJson(json("{'actual':18446744073709551616}")))
            .getMessage());
  }

  @Test
  void an_unknown_case_of_a_union_keeps_what_is_common() {
    JsonNode json = json("{'driver':'holographic','node-name':'n','depth':3}");
    BlockdevOptions options = BlockdevOptions.fromJson(json);
    assertInstanceOf(BlockdevOptions.Unrecognized.class, options);
    assertEquals(BlockdevDriver.UNRECOGNIZED, options.driver());
    assertEquals(Optional.of("n"), options.nodeName());
    assertEquals(json, options.toJson());
  }

  @Test
  void a_tree_of_nodes_is_built_and_read_back() {
    BlockdevOptions file =
        BlockdevOptions.File.builder("/a").discard(BlockdevDiscardOptions.UNMAP).build();
    BlockdevAdd add =
        BlockdevAdd.of(
            BlockdevOptions.Qcow2.builder(BlockdevRef.of(file))
                .nodeName("top")
                .backing(BlockdevRefOrNull.ofNull())
                .build());
    assertEquals(
        json(
            "{'driver':'qcow2','node-name':'top','backing':null,"
                + "'file':{'driver':'file','discard':'unmap','filename':'/a'}}"),
        add.arguments());
    assertEquals(add, BlockdevAdd.fromJson(add.arguments()));
    assertEquals("blockdev-add", add.commandName());
  }

  @Test
  void properties_of_a_device_are_unknown_members() {
    DeviceAdd add =
        DeviceAdd.builder("virtio-blk-pci")
            .id("disk")
            .unknownMember("bootindex", new IntNode(1))
            .build();
    assertEquals(json("{'driver':'virtio-blk-pci','id':'disk','bootindex':1}"), add.arguments());
  }

  @Test
  void results_are_typed() {
    assertEquals(7, GuestExec.of("/bin/true").result(json("{'pid':7}")).pid());
    assertEquals(GuestExecStarted.of(7), GuestExecStarted.fromJson(json("{'pid':7}")));
    assertEquals("a", HumanMonitorCommand.of("info").result(new TextNode("a")));
    assertEquals(List.of(TpmType.EMULATOR), QueryTpmTypes.of().result(json("['emulator']")));
    assertNull(Stop.of().result(json("{}")));
  }

  @Test
  void a_member_that_must_be_there_or_is_of_another_kind_is_named() {
    assertEquals(
        "StatusInfo has no status",
        assertThrows(
                QmpProtocolException.class, () -> StatusInfo.fromJson(json("{'running':true}")))
            .getMessage());
    assertEquals(
        "StatusInfo.running: expected true or false, not 1",
        assertThrows(
                QmpProtocolException.class,
                () -> StatusInfo.fromJson(json("{'running':1,'status':'running'}")))
            .getMessage());
    assertEquals(
        "StatusInfo: expected an object, not []",
        assertThrows(QmpProtocolException.class, () -> StatusInfo.fromJson(json("[]")))
            .getMessage());
    assertEquals(
        "BlockInfo.device: expected text, not []",
        assertThrows(
                QmpProtocolException.class, () -> QueryBlock.of().result(json("[{'device':[]}]")))
            .getMessage());
  }

  @Test
  void lists_are_copied() {
    List<String> names = new ArrayList<>(List.of("a"));
    GuestExec exec = GuestExec.builder("/bin/ls").arg(names).build();
    names.add("b");
    assertEquals(Optional.of(List.of("a")), exec.arg());
  }

  @Test
  void an_event_is_read_by_its_name_and_an_unknown_one_stays_as_it_is() {
    RawEvent shutdown =
        new RawEvent(
            "SHUTDOWN",
            Instant.EPOCH,
            (ObjectNode) json("{'guest':true,'reason':'guest-shutdown','why':'tired'}"));
    ShutdownEvent event = (ShutdownEvent) QemuEvent.from(shutdown);
    assertTrue(event.guest());
    assertEquals(ShutdownCause.GUEST_SHUTDOWN, event.reason());
    assertEquals(shutdown, event.raw());
    RawEvent unknown = new RawEvent("LANDED", Instant.EPOCH, (ObjectNode) json("{'where':'moon'}"));
    assertSame(unknown, QemuEvent.from(unknown));
    RawEvent broken = new RawEvent("SHUTDOWN", Instant.EPOCH, (ObjectNode) json("{}"));
    assertThrows(QmpProtocolException.class, () -> QemuEvent.from(broken));
  }

  private static JsonNode json(String text) {
    try {
      return new ObjectMapper().readTree(text.replace('\'', '"'));
    } catch (JsonProcessingException e) {
      throw new AssertionError(e);
    }
  }
}
