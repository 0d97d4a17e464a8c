package dev.stapes.testkit.contract;

import static dev.stapes.testkit.contract.Guest.run;
import static dev.stapes.testkit.contract.Refusal.refused;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.Config;
import dev.stapes.model.ConfigKey;
import dev.stapes.model.ConfigSchema;
import dev.stapes.model.Device;
import dev.stapes.model.InstanceKeys;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Availability;
import dev.stapes.spi.Machine;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.PropertyDefaults;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

/**
 * What every instance driver must do. A driver's test extends it and gives its provider:
 *
 * <pre>{@code
 * @RequiresRoot
 * @RequiresTool("lxc-start")
 * class LxcContractIT extends InstanceDriverContract {
 *   @Override
 *   protected InstanceDriverProvider provider() {
 *     return new LxcDriverProvider();
 *   }
 * }
 * }</pre>
 *
 * <p>The machine is the host provider that the service loader finds; {@link #openHost} gives
 * another. Instances start from a directory that {@link #root} fills with the machine's static
 * busybox, and an init that says {@code contract booted} on the console, answers there, and ends at
 * SIGPWR; a driver of virtual machines gives a disk on which the same happens, see {@link
 * #hasOwnKernel}. Each test has a scope of its own and fails if anything of it is left on the
 * machine at its end. A driver that calls the machine by bindings of its own overrides {@link
 * #provider(dev.stapes.testkit.Faults)} too, so that each of these calls can be made to fail.
 *
 * <p>The property runs 3 random sequences of operations; {@code @PropertyDefaults} on the driver's
 * test changes that.
 */
@PropertyDefaults(tries = 3, edgeCases = EdgeCasesMode.NONE)
public abstract class InstanceDriverContract extends InstanceLifeTests {

  /** For subclasses. */
  protected InstanceDriverContract() {}

  @Test
  void the_driver_works_on_this_host() {
    assertEquals(Availability.available(), bench().provider().probe(bench().host()));
  }

  @Test
  void the_driver_s_keys_are_declared_once_with_a_doc_and_a_default_that_parses() {
    List<ConfigKey<?>> keys = bench().driver().configKeys();
    assertEquals(
        InstanceKeys.SCHEMA.keys().size() + keys.size(),
        InstanceKeys.SCHEMA.and(keys).keys().size());
    assertEquals(keys, new ConfigSchema(keys).keys());
    for (ConfigKey<?> key : keys) {
      assertFalse(key.doc().isBlank(), key.name());
      key.defaultText().ifPresent(text -> assertDoesNotThrow(() -> key.parse(text)));
    }
  }

  @Test
  void what_is_allocated_is_volatile_and_chosen_once() {
    Map<String, String> first = bench().driver().allocate(Config.empty(), List.of());
    first
        .keySet()
        .forEach(key -> assertTrue(key.startsWith("volatile."), "not a volatile key: " + key));
    Config config = Config.empty().with(first);
    Map<String, String> again = bench().driver().allocate(config, List.of());
    assertEquals(config, config.with(again));
    Config other = Config.empty().with(bench().driver().allocate(Config.empty(), List.of(config)));
    assertEquals(config, config.with(bench().driver().allocate(config, List.of(other))));
  }

  @Test
  void the_id_map_depends_on_the_config_alone() {
    Config config = spec().config();
    assertEquals(bench().driver().idMapping(config), bench().driver().idMapping(config));
    var before = bench().driver().idMapping(config);
    bench().reopen();
    assertEquals(before, bench().driver().idMapping(config));
  }

  @Test
  void a_good_spec_is_valid() {
    assertDoesNotThrow(() -> bench().driver().validate(spec()));
  }

  @Test
  void a_device_of_a_type_that_nobody_knows_is_refused_before_anything_happens() {
    Machine.Spec good = spec();
    TreeMap<String, Device> devices = new TreeMap<>();
    devices.put("odd", new Device.Raw("perpetuum-mobile", new TreeMap<>()));
    Machine.Spec bad =
        new Machine.Spec(
            good.id(),
            good.name(),
            good.lifetime(),
            good.config(),
            devices,
            good.root(),
            good.disks());
    StapesException error = refused(() -> bench().driver().validate(bad));
    assertTrue(
        error.kind() == StapesException.Kind.INVALID
            || error.kind() == StapesException.Kind.UNSUPPORTED,
        error::toString);
    assertTrue(String.valueOf(error.getMessage()).contains("perpetuum-mobile"), error::toString);
  }

  @Test
  void a_bad_value_of_a_limit_is_refused_and_quoted() {
    Machine.Spec bad = bench().spec("aaaa", dev.stapes.model.Lifetime.THROWAWAY, Map.of());
    Machine.Spec worse =
        new Machine.Spec(
            bad.id(),
            bad.name(),
            bad.lifetime(),
            bad.config().with("limits.memory", "much"),
            bad.devices(),
            bad.root(),
            bad.disks());
    StapesException error = refused(() -> bench().driver().validate(worse));
    assertTrue(String.valueOf(error.getMessage()).contains("\"much\""), error::toString);
  }

  @Test
  void a_start_that_fails_carries_the_reason_and_leaves_nothing() throws Exception {
    Machine.Spec spec = spec();
    var before = bench().leftovers();
    StapesException error =
        refused(() -> bench().driver().start(bench().withoutRoot(spec)).close());
    assertTrue(String.valueOf(error.getMessage()).length() > 20, error::toString);
    assertEquals(Optional.empty(), bench().driver().adopt(spec));
    bench().reopen();
    assertEquals(before, bench().leftovers());
    assertEquals(0, run(box(), "true").code());
  }

  /** The model-based property; run by jqwik. */
  @Property
  void any_sequence_of_operations_does_what_a_simple_model_says(
      @ForAll("sequences") List<InstanceAction> actions) throws Exception {
    try (InstanceBench world = InstanceBench.open(this, new dev.stapes.testkit.Faults())) {
      InstanceModel model = new InstanceModel(world);
      for (InstanceAction action : actions) {
        model.run(action);
      }
    }
  }

  /** Sequences of up to 15 operations on two instances. */
  @Provide
  Arbitrary<List<InstanceAction>> sequences() {
    return InstanceAction.any().list().ofMinSize(1).ofMaxSize(15);
  }
}
