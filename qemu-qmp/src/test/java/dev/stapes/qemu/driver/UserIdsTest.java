package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.Config;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class UserIdsTest {
  private final UserIds users = new UserIds("1a2b3c4d");

  private static Config config(String uid) {
    return Config.of(Map.of(UserIds.KEY, uid));
  }

  @Test
  void each_instance_has_one_of_its_own_and_keeps_it() {
    List<Config> all = new ArrayList<>();
    Set<Long> seen = new HashSet<>();
    for (int i = 0; i < 50; i++) {
      Config config = Config.of(users.allocate(Config.empty(), all));
      assertEquals(Map.of(), users.allocate(config, all));
      assertTrue(seen.add(users.of(config)));
      assertTrue(UserIds.contains(users.of(config)));
      all.add(config);
    }
  }

  @Test
  void a_copy_of_a_config_gets_another_one() {
    Config one = Config.of(users.allocate(Config.empty(), List.of()));
    Config copy = Config.of(users.allocate(one, List.of(one)));
    assertNotEquals(users.of(one), users.of(copy));
  }

  @Test
  void what_was_given_back_is_given_again() {
    Config one = Config.of(users.allocate(Config.empty(), List.of()));
    Config two = Config.of(users.allocate(Config.empty(), List.of(one)));
    assertEquals(users.of(one), users.of(Config.of(users.allocate(Config.empty(), List.of(two)))));
  }

  @Test
  void a_tpm_has_another_user_than_any_machine() {
    long user = users.of(Config.empty());
    assertTrue(UserIds.isTpm(UserIds.ofTpm(user)));
    assertFalse(UserIds.contains(UserIds.ofTpm(user)));
    assertFalse(UserIds.isTpm(user));
    assertFalse(UserIds.isTpm(0));
    assertTrue(UserIds.ofTpm(1_999_999_999L) <= Integer.MAX_VALUE);
  }

  @Test
  void other_roots_have_others() {
    assertNotEquals(users.of(Config.empty()), new UserIds("99887766").of(Config.empty()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "1000", "-1", "65534", "4294967295", "2000000000", "root", ""})
  void a_number_that_may_be_somebody_elses_is_not_kept(String uid) {
    assertTrue(UserIds.contains(users.of(config(uid))));
    Map<String, String> given = users.allocate(config(uid), List.of());
    assertTrue(UserIds.contains(Long.parseLong(given.getOrDefault(UserIds.KEY, "0"))));
  }

  @Test
  void users_of_the_host_are_none() {
    assertFalse(UserIds.contains(0));
    assertFalse(UserIds.contains(100_000));
    assertFalse(UserIds.contains(1_899_999_999L));
    assertFalse(UserIds.contains(2_000_000_000L));
  }
}
