package dev.stapes.storage.lvm;

/**
 * Who has volumes in a group that machines share: a directory of a pool, on a machine.
 *
 * @param machine its number, by which no two that share the group are the same
 * @param owner the name of the directory, which nothing else has; its volumes bear it
 */
record Sharer(int machine, String owner) {}
