package dev.stapes.testkit;

import net.jqwik.api.lifecycle.AroundPropertyHook;
import net.jqwik.api.lifecycle.BeforeContainerHook;
import net.jqwik.api.lifecycle.ContainerLifecycleContext;
import net.jqwik.api.lifecycle.LifecycleContext;
import net.jqwik.api.lifecycle.PropertyExecutionResult;
import net.jqwik.api.lifecycle.PropertyExecutor;
import net.jqwik.api.lifecycle.PropertyLifecycleContext;
import net.jqwik.api.lifecycle.SkipExecutionHook;

/** Applies the requirements to jqwik's properties. */
final class RequirementHook implements SkipExecutionHook, BeforeContainerHook, AroundPropertyHook {
  @Override
  public SkipResult shouldBeSkipped(LifecycleContext context) {
    try {
      return context
          .optionalElement()
          .flatMap(Requirement::check)
          .map(SkipResult::skip)
          .orElseGet(SkipResult::doNotSkip);
    } catch (Requirement.MissingRequirement e) {
      // Thrown here it would end the whole engine; the two methods below fail what it belongs to.
      return SkipResult.doNotSkip();
    }
  }

  @Override
  public void beforeContainer(ContainerLifecycleContext context) {
    context.optionalElement().ifPresent(Requirement::check);
  }

  @Override
  public PropertyExecutionResult aroundProperty(
      PropertyLifecycleContext context, PropertyExecutor property) {
    context.optionalElement().ifPresent(Requirement::check);
    return property.execute();
  }
}
