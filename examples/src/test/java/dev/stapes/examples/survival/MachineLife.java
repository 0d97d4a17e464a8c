package dev.stapes.examples.survival;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.Memory;
import dev.stapes.Stapes;
import dev.stapes.Start;
import dev.stapes.Stop;
import dev.stapes.model.Lifetime;
import dev.stapes.model.SnapshotSpec;

/** What a JVM does with virtual machines that is to die while it does it; see {@link Life}. */
enum MachineLife {
  /** Made, started, suspended, stopped, started, deleted. */
  RUN {
    @Override
    void live(Stapes stapes, Diary diary) {
      diary.step(() -> stapes.instances().create(Machines.spec("one").build()));
      Instance one = stapes.instances().get("one");
      diary.step(one::start);
      diary.step(one::freeze);
      diary.step(one::unfreeze);
      diary.step(() -> one.stop(Stop.FORCE));
      diary.step(one::start);
      diary.step(() -> one.delete(Delete.FORCE));
    }
  },

  /** Snapshots while it runs and while it does not, back to them, copies and other names. */
  COPIES {
    @Override
    void live(Stapes stapes, Diary diary) {
      diary.step(() -> stapes.instances().launch(Machines.spec("one").build()));
      Instance one = stapes.instances().get("one");
      diary.step(() -> one.snapshots().create("s"));
      diary.step(() -> one.snapshots().restore("s"));
      diary.step(() -> one.copyTo("two"));
      diary.step(() -> one.stop(Stop.FORCE));
      diary.step(() -> one.snapshots().restore("s"));
      diary.step(() -> one.rename("three"));
      diary.step(() -> one.snapshots().delete("s"));
      diary.step(() -> stapes.instances().get("two").delete(Delete.FORCE));
      diary.step(() -> one.delete(Delete.FORCE));
    }
  },

  /** Stopped with its memory, started from there, and put back to a snapshot of it. */
  STATES {
    @Override
    void live(Stapes stapes, Diary diary) {
      diary.step(() -> stapes.instances().launch(Machines.statefulSpec("one").build()));
      Instance one = stapes.instances().get("one");
      diary.step(() -> one.stop(Stop.STATEFUL));
      diary.step(one::start);
      diary.step(() -> one.stop(Stop.STATEFUL));
      diary.step(() -> one.start(Start.STATELESS));
      diary.step(() -> one.snapshots().create(SnapshotSpec.of("s").withMemory()));
      diary.step(() -> one.stop(Stop.STATEFUL)); // so is one that is restored and not started yet
      diary.step(() -> one.snapshots().restore("s", Memory.KEPT));
      diary.step(() -> one.delete(Delete.FORCE));
    }
  },

  /** It dies with its JVM; the diary stays as it was. */
  THROWAWAY {
    @Override
    void live(Stapes stapes, Diary diary) {
      Instance one =
          stapes.instances().launch(Machines.spec("one").lifetime(Lifetime.THROWAWAY).build());
      diary.step(() -> one.delete(Delete.FORCE));
    }
  };

  /** Lives to the end. */
  abstract void live(Stapes stapes, Diary diary);
}
