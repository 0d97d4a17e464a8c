/** Images of OCI registries: the protocol, the documents, and what they mean for an instance. */
@NullMarked
package dev.stapes.internal.image.oci;

import org.jspecify.annotations.NullMarked;
