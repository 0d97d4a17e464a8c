package dev.stapes.testkit;

import dev.stapes.model.StapesException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Makes the n-th effect fail. It wraps any interface (of the SPI, or a native binding's) and all
 * interfaces that come back from it, directly or inside an {@code Optional}, {@code
 * CompletionStage}, {@code List} or {@code Set}; every call through what it wrapped that has an
 * effect is counted, recorded, and can be made to fail, to block, or to find the process dead.
 *
 * <p><b>What an effect is</b> ({@link #usual()}): every call but
 *
 * <ul>
 *   <li>{@code close()} and the methods of {@link Object},
 *   <li>questions without arguments: methods that have no parameters and give something back,
 *   <li>questions with arguments, by name: {@code allocate await below changesLive exists find get
 *       idMapping list listen local prefix probe range read readlink stat subtree tree usage
 *       validate xattrs}.
 * </ul>
 *
 * An output stream that came back has one effect more: its first write. Another rule can be given,
 * for interfaces that name things differently.
 *
 * <p>May be used from any thread. The count begins anew with each of the methods that plan a fault.
 */
public final class Faults {
  private static final Set<String> QUESTIONS =
      Set.of(
          "allocate",
          "attached",
          "await",
          "below",
          "changesLive",
          "exists",
          "find",
          "get",
          "idMapping",
          "list",
          "listen",
          "local",
          "prefix",
          "probe",
          "range",
          "read",
          "readlink",
          "stat",
          "subtree",
          "tree",
          "usage",
          "validate",
          "xattrs");

  private final Predicate<Method> effect;
  private final List<String> trace = new ArrayList<>();
  private Plan plan = Plan.NONE;

  /** With the usual rule of what an effect is, and no fault planned. */
  public Faults() {
    this(usual());
  }

  /** With another rule of what an effect is. */
  public Faults(Predicate<Method> effect) {
    this.effect = effect;
  }

  /** The rule that the description of this class states. */
  public static Predicate<Method> usual() {
    return method ->
        !method.getName().equals("close")
            && !QUESTIONS.contains(method.getName())
            && (method.getParameterCount() > 0 || method.getReturnType() == void.class);
  }

  /**
   * The same thing, with effects counted. What it gives back is wrapped too.
   *
   * @param type a public interface
   */
  public <T> T wrap(Class<T> type, T target) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(), new Class<?>[] {type}, new FaultyCall(this, target)));
  }

  /** Counts from 0 and lets everything pass. */
  public synchronized Faults count() {
    return begin(Plan.NONE);
  }

  /**
   * The n-th effect from now on does not happen and fails.
   *
   * @param n from 1
   * @param failure made when it is thrown
   */
  public synchronized Faults failNth(int n, Supplier<? extends Throwable> failure) {
    return begin(new Plan(n, How.BEFORE, failure));
  }

  /** The n-th effect from now on does not happen and fails with a StapesException, INTERNAL. */
  public Faults failNth(int n) {
    return failNth(n, () -> injected(n));
  }

  /**
   * The n-th effect from now on happens, and fails before its answer is given. One whose answer is
   * a resource to be closed fails without happening: nobody could give back what he was never
   * given.
   */
  public synchronized Faults failAfterNth(int n, Supplier<? extends Throwable> failure) {
    return begin(new Plan(n, How.AFTER, failure));
  }

  /** The same with a StapesException, INTERNAL. */
  public Faults failAfterNth(int n) {
    return failAfterNth(n, () -> injected(n));
  }

  /**
   * From the n-th effect on none happens any more, as if the process had been killed there: each
   * fails, also those that would undo something.
   */
  public synchronized Faults dieAtNth(int n) {
    return begin(new Plan(n, How.DEAD, () -> injected(n)));
  }

  /**
   * The n-th effect from now on waits, before it happens, until {@link Block#release}. An
   * interrupted wait is a StapesException, INTERRUPTED, and the thread stays interrupted.
   */
  public synchronized Block blockAtNth(int n) {
    Block block = new Block();
    begin(new Plan(n, How.BLOCK, () -> injected(n), block));
    return block;
  }

  /** How many effects were tried since the count began. */
  public synchronized int effects() {
    return trace.size();
  }

  /** The effects since the count began, such as {@code Mounts.bind [/a, /b, []]}. */
  public synchronized List<String> trace() {
    return List.copyOf(trace);
  }

  /** What an injected failure is where no other is given. */
  public static StapesException injected(int n) {
    return new StapesException(
        StapesException.Kind.INTERNAL, "effect " + n, "failed: the test wants it so");
  }

  boolean isEffect(Method method) {
    return method.getDeclaringClass() != Object.class && effect.test(method);
  }

  /** Counts an effect, and does it in the way that is planned. */
  @Nullable Object happen(String description, boolean givesResource, Effect doIt) throws Throwable {
    Plan now;
    int number;
    synchronized (this) {
      trace.add(description);
      number = trace.size();
      now = plan;
    }
    boolean hit = number == now.nth || (now.how == How.DEAD && number > now.nth);
    boolean late = now.how == How.AFTER && !givesResource;
    if (hit && now.how == How.BLOCK && now.block != null) {
      now.block.hold(description);
    } else if (hit && !late) {
      throw now.failure.get();
    }
    Object answer = doIt.run();
    if (hit && late) {
      throw now.failure.get();
    }
    return answer;
  }

  private Faults begin(Plan next) {
    trace.clear();
    plan = next;
    return this;
  }

  private enum How {
    BEFORE,
    AFTER,
    DEAD,
    BLOCK
  }

  private record Plan(
      int nth, How how, Supplier<? extends Throwable> failure, @Nullable Block block) {
    static final Plan NONE = new Plan(0, How.BEFORE, () -> injected(0));

    Plan(int nth, How how, Supplier<? extends Throwable> failure) {
      this(nth, how, failure, null);
    }
  }

  /** Something that has an effect. */
  interface Effect {
    @Nullable Object run() throws Throwable;
  }

  /** Holds an effect back. */
  public static final class Block {
    private final CountDownLatch reached = new CountDownLatch(1);
    private final CountDownLatch released = new CountDownLatch(1);

    private Block() {}

    /** Waits until the effect is about to happen; fails the test where it is not within a time. */
    public void awaitReached(Duration limit) throws InterruptedException {
      if (!reached.await(limit.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new AssertionError("the effect did not come within " + limit);
      }
    }

    /** Lets it happen. */
    public void release() {
      released.countDown();
    }

    private void hold(String description) {
      reached.countDown();
      try {
        released.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new StapesException(
            StapesException.Kind.INTERRUPTED, description, "interrupted while it was held back", e);
      }
    }
  }
}
