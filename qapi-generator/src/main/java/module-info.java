/** The generator of the Java of QMP. Part of the build alone. */
module dev.stapes.qapi {
  requires com.fasterxml.jackson.databind;
  requires com.palantir.javapoet;
  requires java.compiler;
  requires static transitive org.jspecify;

  exports dev.stapes.qapi;
}
