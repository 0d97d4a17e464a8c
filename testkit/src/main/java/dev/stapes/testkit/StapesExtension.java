package dev.stapes.testkit;

import dev.stapes.Instance;
import dev.stapes.Stapes;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.lang.reflect.Parameter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionConfigurationException;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolutionException;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.platform.commons.support.AnnotationSupport;
import org.junit.platform.commons.support.HierarchyTraversalMode;

/** Gives test classes their Stapes and their instances. */
final class StapesExtension
    implements ExecutionCondition,
        BeforeAllCallback,
        BeforeEachCallback,
        AfterTestExecutionCallback,
        AfterEachCallback,
        ParameterResolver {
  private static final ExtensionContext.Namespace NAMESPACE =
      ExtensionContext.Namespace.create(StapesExtension.class);

  /** The defaults of the annotation, for parameters that bear none. */
  private static final Throwaway DEFAULTS = defaults();

  @Override
  public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
    Optional<String> skip =
        opener(context) == StapesOpener.Usual.class ? Requirement.checkRoot() : Optional.empty();
    return skip.map(ConditionEvaluationResult::disabled)
        .orElseGet(() -> ConditionEvaluationResult.enabled("Stapes can be opened"));
  }

  @Override
  public void beforeAll(ExtensionContext context) throws Exception {
    for (Field field : fields(context.getRequiredTestClass(), Modifier::isStatic)) {
      Throwaway wish = field.getAnnotation(Throwaway.class);
      Held held = hold(context, field.getName(), wish == null ? DEFAULTS : wish);
      set(field, null, held.instance());
    }
  }

  @Override
  public void beforeEach(ExtensionContext context) throws Exception {
    Turns turns = new Turns();
    context.getStore(NAMESPACE).put("turns", turns);
    for (Held shared : held(context)) {
      turns.take(shared);
    }
    for (Object test : context.getRequiredTestInstances().getAllInstances()) {
      for (Field field : fields(test.getClass(), modifiers -> !Modifier.isStatic(modifiers))) {
        Throwaway wish = field.getAnnotation(Throwaway.class);
        set(field, test, hold(context, field.getName(), wish == null ? DEFAULTS : wish).instance());
      }
    }
  }

  @Override
  public void afterTestExecution(ExtensionContext context) {
    report(context);
  }

  @Override
  public void afterEach(ExtensionContext context) {
    report(context);
    Turns turns = context.getStore(NAMESPACE).get("turns", Turns.class);
    if (turns != null) {
      turns.give();
    }
  }

  /** Shows the instances of a failed test, once. */
  private static void report(ExtensionContext context) {
    boolean reported = context.getStore(NAMESPACE).get("reported") != null;
    if (context.getExecutionException().isPresent() && !reported) {
      context.getStore(NAMESPACE).put("reported", true);
      for (Held held : held(context)) {
        context.publishReportEntry("stapes." + held.label(), held.report(context).toString());
      }
    }
  }

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    Class<?> type = parameter.getParameter().getType();
    return type == Stapes.class || type == Instance.class;
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    Parameter wanted = parameter.getParameter();
    if (wanted.getType() == Stapes.class) {
      return session(context).stapes();
    }
    boolean perMethod =
        context.getTestMethod().isPresent()
            && !(parameter.getDeclaringExecutable() instanceof Constructor);
    if (!perMethod) {
      throw new ParameterResolutionException(
          "an Instance is for a test method, @BeforeEach or @AfterEach; use a static @Throwaway"
              + " field for the class: "
              + wanted);
    }
    Throwaway wish = parameter.findAnnotation(Throwaway.class).orElse(DEFAULTS);
    return hold(context, wanted.getName(), wish).instance();
  }

  private static Held hold(ExtensionContext context, String label, Throwaway wish) {
    Held held = Held.launch(session(context), label, wish);
    Instances all =
        context
            .getStore(NAMESPACE)
            .getOrComputeIfAbsent(context.getUniqueId(), id -> new Instances(), Instances.class);
    all.add(held);
    return held;
  }

  /** The instances of a context and of those around it, outermost first. */
  private static List<Held> held(ExtensionContext context) {
    List<Held> all = new ArrayList<>();
    context.getParent().ifPresent(parent -> all.addAll(held(parent)));
    Instances own = context.getStore(NAMESPACE).get(context.getUniqueId(), Instances.class);
    if (own != null) {
      all.addAll(own.all());
    }
    return all;
  }

  private static StapesSession session(ExtensionContext context) {
    Class<? extends StapesOpener> opener = opener(context);
    return context
        .getStore(ExtensionContext.StoreScope.LAUNCHER_SESSION, NAMESPACE)
        .getOrComputeIfAbsent(opener, StapesSession::open, StapesSession.class);
  }

  private static Class<? extends StapesOpener> opener(ExtensionContext context) {
    for (Optional<ExtensionContext> each = Optional.of(context);
        each.isPresent();
        each = each.get().getParent()) {
      Optional<StapesTest> found =
          each.get()
              .getTestClass()
              .flatMap(type -> AnnotationSupport.findAnnotation(type, StapesTest.class));
      if (found.isPresent()) {
        return found.get().opener();
      }
    }
    throw new ExtensionConfigurationException("no @StapesTest on " + context.getDisplayName());
  }

  private static List<Field> fields(Class<?> type, Predicate<Integer> modifiers) {
    return AnnotationSupport.findAnnotatedFields(
        type,
        Throwaway.class,
        field -> modifiers.test(field.getModifiers()),
        HierarchyTraversalMode.TOP_DOWN);
  }

  private static void set(Field field, @Nullable Object test, Instance instance) {
    if (field.getType() != Instance.class || Modifier.isFinal(field.getModifiers())) {
      throw new ExtensionConfigurationException(
          "a @Throwaway field must be a dev.stapes.Instance and not final: " + field);
    }
    try {
      var setter =
          MethodHandles.privateLookupIn(field.getDeclaringClass(), MethodHandles.lookup())
              .unreflectSetter(field);
      if (test == null) {
        setter.invoke(instance);
      } else {
        setter.invoke(test, instance);
      }
    } catch (Throwable e) {
      throw new ExtensionConfigurationException(
          "cannot set " + field + ": a test module must open its package to dev.stapes.testkit", e);
    }
  }

  private static Throwaway defaults() {
    for (Field field : Annotated.class.getDeclaredFields()) {
      Throwaway wish = field.getAnnotation(Throwaway.class);
      if (wish != null) {
        return wish;
      }
    }
    throw new IllegalStateException("no annotation on " + Annotated.class);
  }

  /** Only an annotated thing has an annotation with its defaults. */
  private static final class Annotated {
    @Throwaway static @Nullable Instance unused;
  }

  /** The shared instances that a test method has for itself. */
  private static final class Turns {
    private final List<Held> taken = new ArrayList<>();

    void take(Held shared) throws InterruptedException {
      shared.begin();
      taken.add(shared);
    }

    void give() {
      taken.forEach(Held::end);
      taken.clear();
    }
  }

  /** The instances of one context; the store closes them with it. */
  private static final class Instances implements AutoCloseable {
    private final List<Held> all = new ArrayList<>();

    synchronized void add(Held held) {
      all.add(held);
    }

    synchronized List<Held> all() {
      return List.copyOf(all);
    }

    @Override
    public void close() {
      RuntimeException first = null;
      for (Held held : all()) {
        try {
          held.close();
        } catch (RuntimeException e) {
          if (first == null) {
            first = e;
          } else {
            first.addSuppressed(e);
          }
        }
      }
      if (first != null) {
        throw first;
      }
    }
  }
}
