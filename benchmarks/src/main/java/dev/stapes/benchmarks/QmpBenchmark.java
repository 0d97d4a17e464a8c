package dev.stapes.benchmarks;

import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stapes.qmp.QmpCodec;
import dev.stapes.qmp.QmpCommand;
import dev.stapes.qmp.QmpEvent;
import dev.stapes.qmp.RawEvent;
import dev.stapes.qmp.qemu.BlockdevAdd;
import dev.stapes.qmp.qemu.BlockdevOptions;
import dev.stapes.qmp.qemu.BlockdevRef;
import dev.stapes.qmp.qemu.DeviceAdd;
import dev.stapes.qmp.qemu.QemuEvent;
import dev.stapes.qmp.qemu.QueryStatus;
import dev.stapes.qmp.qemu.StatusInfo;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What messages of QMP cost: from a typed command to bytes, from bytes to a typed value. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(
    value = 1,
    jvmArgsAppend = {"-Xms256m", "-Xmx256m"})
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@State(Scope.Benchmark)
public class QmpBenchmark {
  /** What {@code query-qmp-schema} of QEMU 10 returned, from where the types are generated. */
  private static final Path SCHEMA = Path.of("../qemu-qmp/src/main/qapi/qemu-10.0.json");

  private static final int MEMBERS = 200;

  private static final byte[] STATUS =
      bytes(
          "{\"return\": {\"status\": \"running\", \"singlestep\": false, \"running\": true},"
              + " \"id\": 17}\r\n");

  private static final byte[] EVENT =
      bytes(
          "{\"timestamp\": {\"seconds\": 1700000000, \"microseconds\": 250000},"
              + " \"event\": \"BLOCK_IO_ERROR\", \"data\": {\"device\": \"\","
              + " \"node-name\": \"root\", \"operation\": \"write\", \"action\": \"stop\","
              + " \"nospace\": true, \"reason\": \"No space left on device\"}}\r\n");

  private QmpCommand<?> disk = QueryStatus.of();
  private QmpCommand<?> large = QueryStatus.of();
  private byte[] schema = new byte[0];

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** Makes commands and answers. */
  @Setup(Level.Trial)
  public void make() throws IOException {
    disk =
        BlockdevAdd.of(
            BlockdevOptions.Qcow2.builder(
                    BlockdevRef.of(BlockdevOptions.File.builder("/var/lib/disk").build()))
                .nodeName("disk")
                .build());
    DeviceAdd.Builder device = DeviceAdd.builder("virtio-blk-pci");
    for (int i = 0; i < MEMBERS; i++) {
      device.unknownMember("property-" + i, IntNode.valueOf(i));
    }
    large = device.build();
    String lines = Files.readString(SCHEMA).strip();
    schema = bytes("{\"return\": " + lines + ", \"id\": 18}\r\n");
  }

  /** A command without arguments. */
  @Benchmark
  public byte[] encodeSmall() {
    return QmpCodec.encode(QueryStatus.of(), 17);
  }

  /** A command with a tree of nodes, as disks are plugged in. */
  @Benchmark
  public byte[] encodeDisk() {
    return QmpCodec.encode(disk, 17);
  }

  /** A command with 200 members. */
  @Benchmark
  public byte[] encodeLarge() {
    return QmpCodec.encode(large, 17);
  }

  /** An answer to {@code query-status}. */
  @Benchmark
  public StatusInfo decodeSmall() {
    return QueryStatus.of().result(message(STATUS).path("return"));
  }

  /** An event that becomes one of the generated types. */
  @Benchmark
  public QmpEvent decodeEvent() {
    return QemuEvent.from(RawEvent.of(message(EVENT)));
  }

  /** An answer to {@code query-qmp-schema}: 210 KB, 18,000 values, as a tree. */
  @Benchmark
  public ObjectNode decodeSchema() {
    return message(schema);
  }

  private static ObjectNode message(byte[] bytes) {
    return QmpCodec.decode(bytes).get(0);
  }
}
