/**
 * Renders the templates of images: a part of Django's template language, as pongo2 has it. A
 * template is translated to one of Pebble's in which nothing of its own text stands.
 */
@NullMarked
package dev.stapes.internal.template;

import org.jspecify.annotations.NullMarked;
