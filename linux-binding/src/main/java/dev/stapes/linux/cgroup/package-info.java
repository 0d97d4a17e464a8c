/**
 * Control groups, version 1, version 2 and both at once: where each controller lives, one named
 * group across all hierarchies, resource limits with the meaning that Incus gives them, and what a
 * group uses.
 *
 * <p>Nothing here binds native code: cgroupfs is files. A {@link
 * dev.stapes.linux.cgroup.CgroupLayout} is what the machine offers, {@link
 * dev.stapes.linux.cgroup.CgroupLimits} is what is asked for, and what of it the machine cannot do
 * is an answer ({@link dev.stapes.linux.cgroup.UnsupportedLimit}), never left out in silence.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/cgroups.7.html">cgroups(7)</a>
 */
@NullMarked
package dev.stapes.linux.cgroup;

import org.jspecify.annotations.NullMarked;
