/**
 * What a container is made of, typed: namespaces, id maps, mounts, devices, limits, and the
 * configuration file of liblxc that says it.
 */
@NullMarked
package dev.stapes.lxc;

import org.jspecify.annotations.NullMarked;
