package dev.stapes.linux.btrfs;

import java.util.Optional;
import java.util.UUID;

/**
 * What a subvolume says of itself.
 *
 * @param id its number, at least 256 but for the file system's own root (5)
 * @param parentId the subvolume that it lies in; 0 for the file system's own root
 * @param readOnly whether it refuses changes
 * @param uuid its own
 * @param parentUuid what it is a snapshot of
 * @param receivedUuid what it was received from
 * @param changedIn the transaction of its last change
 * @param sentIn the transaction of what it was received from; 0 if it was not
 */
public record SubvolumeInfo(
    long id,
    long parentId,
    boolean readOnly,
    UUID uuid,
    Optional<UUID> parentUuid,
    Optional<UUID> receivedUuid,
    long changedIn,
    long sentIn) {}
