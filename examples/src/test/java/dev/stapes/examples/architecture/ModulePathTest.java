package dev.stapes.examples.architecture;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.module.Configuration;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleDescriptor.Requires;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The modules as modules. All other tests run on the class path, where a module-info says nothing.
 */
class ModulePathTest {
  /** What each module shows. A package is added here by decision, never by accident. */
  private static final Map<String, Set<String>> EXPORTS =
      Map.ofEntries(
          Map.entry("core", Set.of("dev.stapes", "dev.stapes.model", "dev.stapes.spi")),
          Map.entry(
              "linux-binding",
              Set.of(
                  "dev.stapes.linux",
                  "dev.stapes.linux.block",
                  "dev.stapes.linux.btrfs",
                  "dev.stapes.linux.cgroup",
                  "dev.stapes.linux.ffi",
                  "dev.stapes.linux.host",
                  "dev.stapes.linux.net",
                  "dev.stapes.linux.zfs")),
          Map.entry("examples", Set.of()),
          Map.entry("lxc-binding", Set.of("dev.stapes.lxc", "dev.stapes.lxc.ffi")),
          Map.entry("qapi-generator", Set.of("dev.stapes.qapi")),
          Map.entry(
              "qemu-qmp",
              Set.of(
                  "dev.stapes.qemu.driver",
                  "dev.stapes.qmp",
                  "dev.stapes.qmp.guest",
                  "dev.stapes.qmp.qemu")),
          Map.entry("storage-fs", Set.of("dev.stapes.storage.fs")),
          Map.entry("storage-lvm", Set.of("dev.stapes.storage.lvm")),
          Map.entry("storage-zfs", Set.of("dev.stapes.storage.zfs")),
          Map.entry("testkit", Set.of("dev.stapes.testkit", "dev.stapes.testkit.contract")));

  private static final Project PROJECT = Project.here();

  @Test
  void a_module_exports_what_was_decided() {
    Map<String, Set<String>> exports = new TreeMap<>();
    modules()
        .forEach(
            (module, descriptor) ->
                exports.put(
                    module,
                    descriptor.exports().stream()
                        .filter(export -> !export.isQualified())
                        .map(ModuleDescriptor.Exports::source)
                        .collect(Collectors.toCollection(TreeSet::new))));
    Map<String, Set<String>> decided = new TreeMap<>(EXPORTS);
    decided.keySet().retainAll(exports.keySet());
    assertEquals(decided, exports);
  }

  @Test
  void every_class_links_on_the_module_path() throws ClassNotFoundException {
    ModuleLayer layer = layer();
    int classes = 0;
    for (Map.Entry<String, ModuleDescriptor> module : modules().entrySet()) {
      ClassLoader loader = layer.findLoader(module.getValue().name());
      for (String name : classNames(module.getKey())) {
        Class<?> type = Class.forName(name, false, loader);
        assertEquals(module.getValue().name(), type.getModule().getName(), name);
        // Resolves the types of all signatures: a requires that is missing shows here, as
        // NoClassDefFoundError.
        assertDoesNotThrow(type::getDeclaredMethods, name);
        assertDoesNotThrow(type::getDeclaredConstructors, name);
        classes++;
      }
    }
    assertFalse(classes == 0, "no classes found");
  }

  @Test
  void providers_are_the_same_on_the_class_path_and_the_module_path() {
    modules()
        .forEach(
            (module, descriptor) -> {
              Map<String, Set<String>> provided = new TreeMap<>();
              descriptor
                  .provides()
                  .forEach(
                      service ->
                          provided.put(service.service(), new TreeSet<>(service.providers())));
              assertEquals(provided, declaredInMetaInf(module), module);
            });
  }

  @Test
  void every_provider_can_be_made_on_the_module_path() throws ReflectiveOperationException {
    ModuleLayer layer = layer();
    for (ModuleDescriptor descriptor : modules().values()) {
      for (ModuleDescriptor.Provides provides : descriptor.provides()) {
        Class<?> service =
            Class.forName(provides.service(), false, layer.findLoader(descriptor.name()));
        // ServiceLoader asks that its caller's module uses the service; that of the class path uses
        // all.
        List<String> made =
            ServiceLoader.load(layer, service).stream()
                .map(provider -> provider.get().getClass().getName())
                .toList();
        for (String provider : provides.providers()) {
          assertEquals(1, made.stream().filter(provider::equals).count(), provider + " in " + made);
        }
      }
    }
  }

  /** Our modules with a descriptor, by directory. */
  private static Map<String, ModuleDescriptor> modules() {
    Map<String, ModuleDescriptor> modules = new TreeMap<>();
    for (String module : PROJECT.modulesToLookAt()) {
      ModuleFinder.of(classesOf(module)).findAll().stream()
          .map(ModuleReference::descriptor)
          .forEach(descriptor -> modules.put(module, descriptor));
    }
    assertFalse(modules.isEmpty(), "no modules found");
    return modules;
  }

  /**
   * All our modules in a layer of their own, above the JDK's, with the libraries of this test's
   * class path.
   */
  private static ModuleLayer layer() {
    List<Path> path = new ArrayList<>();
    PROJECT.modulesToLookAt().forEach(module -> path.add(classesOf(module)));
    for (String entry : System.getProperty("java.class.path", "").split(File.pathSeparator, -1)) {
      Path jar = Path.of(entry);
      if (entry.endsWith(".jar") && !jar.startsWith(PROJECT.root())) {
        path.add(jar);
      }
    }
    ModuleFinder finder = ModuleFinder.of(path.toArray(new Path[0]));
    Set<String> names = new TreeSet<>();
    for (ModuleDescriptor descriptor : modules().values()) {
      names.add(descriptor.name());
      // What a module can do without is there only where somebody asks for it.
      descriptor.requires().stream()
          .filter(required -> required.modifiers().contains(Requires.Modifier.STATIC))
          .map(Requires::name)
          .filter(name -> finder.find(name).isPresent())
          .forEach(names::add);
    }
    Configuration configuration =
        ModuleLayer.boot().configuration().resolve(finder, ModuleFinder.of(), names);
    return ModuleLayer.boot()
        .defineModulesWithOneLoader(configuration, ClassLoader.getPlatformClassLoader());
  }

  private static Path classesOf(String module) {
    return PROJECT.root().resolve(module).resolve("target/classes");
  }

  private static List<String> classNames(String module) {
    Path base = classesOf(module);
    try (Stream<Path> files = Files.walk(base)) {
      return files
          .map(file -> base.relativize(file).toString())
          .filter(file -> file.endsWith(".class") && !file.equals("module-info.class"))
          .map(file -> file.substring(0, file.length() - ".class".length()).replace('/', '.'))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(base.toString(), e);
    }
  }

  private static Map<String, Set<String>> declaredInMetaInf(String module) {
    Map<String, Set<String>> declared = new TreeMap<>();
    Path directory = classesOf(module).resolve("META-INF/services");
    if (Files.isDirectory(directory)) {
      try (Stream<Path> files = Files.list(directory)) {
        files.forEach(
            file ->
                declared.put(
                    file.getFileName().toString(),
                    Project.read(file)
                        .lines()
                        .map(line -> line.replaceFirst("#.*", "").strip())
                        .filter(line -> !line.isEmpty())
                        .collect(Collectors.toCollection(TreeSet::new))));
      } catch (IOException e) {
        throw new UncheckedIOException(directory.toString(), e);
      }
    }
    return declared;
  }
}
