package dev.stapes.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException.Kind;
import java.net.InetAddress;
import java.net.UnknownHostException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TransportTest {
  @Test
  void tcp_is_at_the_loopback_address_unless_another_one_is_chosen() throws UnknownHostException {
    assertEquals(new Transport.Tcp(InetAddress.getLoopbackAddress()), Transport.tcp());
    InetAddress chosen = InetAddress.getByName("192.0.2.1");
    assertEquals(new Transport.Tcp(chosen), Transport.tcp(chosen));
  }

  @ParameterizedTest
  @ValueSource(strings = {"0.0.0.0", "::", "224.0.0.1"})
  void what_is_not_one_interface_is_refused(String address) throws UnknownHostException {
    InetAddress wrong = InetAddress.getByName(address);
    StapesException e = assertThrows(StapesException.class, () -> Transport.tcp(wrong));
    assertEquals(Kind.INVALID, e.kind());
    assertTrue(e.toString().contains(wrong.getHostAddress()), e::toString);
  }
}
