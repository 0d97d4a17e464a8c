package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.stapes.model.GuestInfo;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.QmpCommand;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class GuestReportTest {
  /** An agent that answers some commands. */
  private record Answers(Map<String, String> byCommand) implements GuestReport.Source {
    @Override
    public <R> Optional<R> ask(QmpCommand<R> command) {
      return Optional.ofNullable(byCommand.get(command.commandName()))
          .map(
              json -> {
                try {
                  return command.result(new ObjectMapper().readTree(json));
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              });
    }
  }

  @Test
  void a_guest_tells_its_name_its_system_and_its_addresses() {
    GuestInfo info =
        GuestReport.of(
            new Answers(
                Map.of(
                    "guest-get-host-name",
                    "{\"host-name\": \"box\"}",
                    "guest-get-osinfo",
                    "{\"id\": \"debian\", \"name\": \"Debian\", \"version-id\": \"12\","
                        + " \"kernel-release\": \"6.1.0\", \"machine\": \"x86_64\"}",
                    "guest-network-get-interfaces",
                    "[{\"name\": \"lo\", \"ip-addresses\": [{\"ip-address\": \"127.0.0.1\","
                        + " \"ip-address-type\": \"ipv4\", \"prefix\": 8}]},"
                        + " {\"name\": \"eth0\","
                        + " \"hardware-address\": \"02:00:00:00:00:01\"}]")));
    assertEquals(Optional.of("box"), info.hostName());
    assertEquals(
        new GuestInfo.OperatingSystem(
            Optional.of("debian"),
            Optional.of("Debian"),
            Optional.of("12"),
            Optional.of("6.1.0"),
            Optional.of("x86_64")),
        info.system());
    assertEquals(Set.of("eth0", "lo"), info.interfaces().keySet());
    assertEquals(
        new GuestInfo.Interface(Optional.empty(), List.of(new GuestInfo.Address("127.0.0.1", 8))),
        info.interfaces().get("lo"));
    assertEquals(
        new GuestInfo.Interface(Optional.of("02:00:00:00:00:01"), List.of()),
        info.interfaces().get("eth0"));
  }

  @Test
  void what_an_agent_refuses_to_tell_is_empty() {
    GuestInfo info = GuestReport.of(new Answers(Map.of()));
    assertEquals(Optional.empty(), info.hostName());
    assertEquals(GuestInfo.OperatingSystem.UNKNOWN, info.system());
    assertEquals(Map.of(), info.interfaces());
  }

  @Test
  void a_subnet_that_cannot_be_is_left_out() {
    String lie =
        "[{\"name\": \"eth0\", \"ip-addresses\": [{\"ip-address\": \"::1\","
            + " \"ip-address-type\": \"ipv6\", \"prefix\": 4294967296}]}]";
    GuestInfo info = GuestReport.of(new Answers(Map.of("guest-network-get-interfaces", lie)));
    assertEquals(
        Map.of("eth0", new GuestInfo.Interface(Optional.empty(), List.of())), info.interfaces());
  }

  private static GuestReport.Source failing(Kind kind) {
    return new GuestReport.Source() {
      @Override
      public <R> Optional<R> ask(QmpCommand<R> command) {
        throw new StapesException(kind, "instance vm", "no agent runs in the guest");
      }
    };
  }

  @Test
  void without_an_agent_the_host_tells_what_it_knows() {
    TreeMap<String, GuestInfo.Interface> met = new TreeMap<>();
    List<GuestInfo.Address> addresses = List.of(new GuestInfo.Address("10.0.0.2", 32));
    met.put("eth0", new GuestInfo.Interface(Optional.of("10:66:6a:00:00:01"), addresses));
    for (Kind kind : List.of(Kind.UNAVAILABLE, Kind.TIMED_OUT)) {
      assertEquals(
          new GuestInfo(Optional.empty(), GuestInfo.OperatingSystem.UNKNOWN, met),
          GuestReport.of(failing(kind), () -> met));
      Specs.refused(
          kind, "no agent runs in the guest", () -> GuestReport.of(failing(kind), TreeMap::new));
    }
    Specs.refused(Kind.INTERRUPTED, "", () -> GuestReport.of(failing(Kind.INTERRUPTED), () -> met));
  }
}
