package dev.stapes.lxc.ffi;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** A call that forks the JVM must never get in by accident. */
class CallListTest {
  private static final Set<Member> FORKING =
      EnumSet.of(
          Member.START,
          Member.STARTL,
          Member.CREATE,
          Member.CREATEL,
          Member.CLONE,
          Member.DESTROY,
          Member.DESTROY_WITH_SNAPSHOTS,
          Member.RENAME,
          Member.REBOOT,
          Member.REBOOT2,
          Member.SHUTDOWN,
          Member.WAIT,
          Member.GET_INTERFACES,
          Member.GET_IPS,
          Member.CONSOLE,
          Member.ATTACH,
          Member.ATTACH_RUN_WAIT,
          Member.ATTACH_RUN_WAITL,
          Member.ATTACH_INTERFACE,
          Member.DETACH_INTERFACE,
          Member.ADD_DEVICE_NODE,
          Member.REMOVE_DEVICE_NODE,
          Member.SNAPSHOT,
          Member.SNAPSHOT_RESTORE,
          Member.CHECKPOINT,
          Member.RESTORE,
          Member.MIGRATE,
          Member.MOUNT,
          Member.UMOUNT);

  private final JavaClasses classes =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("dev.stapes.lxc");

  @Test
  void the_calls_of_a_container_are_these_and_none_of_them_forks() {
    assertEquals(
        EnumSet.of(
            Member.IS_DEFINED,
            Member.STATE,
            Member.IS_RUNNING,
            Member.FREEZE,
            Member.UNFREEZE,
            Member.INIT_PID,
            Member.INIT_PIDFD,
            Member.DEVPTS_FD,
            Member.LOAD_CONFIG,
            Member.SAVE_CONFIG,
            Member.CLEAR_CONFIG,
            Member.SET_CONFIG_ITEM,
            Member.CLEAR_CONFIG_ITEM,
            Member.GET_CONFIG_ITEM,
            Member.GET_RUNNING_CONFIG_ITEM,
            Member.GET_CGROUP_ITEM,
            Member.SET_CGROUP_ITEM,
            Member.CONSOLE_GETFD,
            Member.MAY_CONTROL,
            Member.STOP),
        ContainerCalls.ALLOWED);
    assertTrue(Collections.disjoint(FORKING, ContainerCalls.ALLOWED));
  }

  @Test
  void what_forks_is_all_in_one_class() {
    assertEquals(
        EnumSet.of(Member.ATTACH_RUN_WAIT, Member.CHECKPOINT, Member.RESTORE, Member.MIGRATE),
        ForkingCalls.ALLOWED);
    assertTrue(FORKING.containsAll(ForkingCalls.ALLOWED));
  }

  @Test
  void only_these_two_classes_call_through_the_structure() {
    noClasses()
        .that()
        .doNotHaveFullyQualifiedName(ContainerCalls.class.getName())
        .and()
        .doNotHaveFullyQualifiedName(ForkingCalls.class.getName())
        .and()
        .doNotHaveFullyQualifiedName(Member.class.getName())
        .should()
        .dependOnClassesThat()
        .haveFullyQualifiedName(Member.class.getName())
        .check(classes);
  }

  @Test
  void nobody_uses_the_class_that_forks() {
    noClasses()
        .that()
        .doNotHaveFullyQualifiedName(ForkingCalls.class.getName())
        .should()
        .dependOnClassesThat()
        .haveFullyQualifiedName(ForkingCalls.class.getName())
        .check(classes);
  }

  @Test
  void the_raw_binding_knows_nothing_of_what_is_above_it() {
    noClasses()
        .that()
        .resideInAPackage("dev.stapes.lxc.ffi")
        .should()
        .dependOnClassesThat()
        .resideOutsideOfPackages(
            "dev.stapes.lxc.ffi", "java..", "com.sun.jna..", "org.jspecify..", "org.slf4j..")
        .check(classes);
  }
}
