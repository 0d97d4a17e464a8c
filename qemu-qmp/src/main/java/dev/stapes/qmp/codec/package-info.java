/** What the generated types read and write JSON with. */
@NullMarked
package dev.stapes.qmp.codec;

import org.jspecify.annotations.NullMarked;
