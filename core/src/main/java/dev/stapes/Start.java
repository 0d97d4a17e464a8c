package dev.stapes;

/** How to start an instance. */
public enum Start {
  /** One that was stopped with its memory goes on from there; any other one boots. */
  NORMAL,

  /** It boots. Memory that was saved is dropped. */
  STATELESS
}
