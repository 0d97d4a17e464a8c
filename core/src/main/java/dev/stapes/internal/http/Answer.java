package dev.stapes.internal.http;

import java.net.URI;
import java.net.http.HttpHeaders;

/**
 * What a server answered.
 *
 * @param uri of the last redirect
 * @param status 200, or 304 where the request was conditional
 * @param body not copied
 */
public record Answer(URI uri, int status, HttpHeaders headers, byte[] body) {
  /** Whether what one has is still right. */
  public boolean isNotModified() {
    return status == HttpFailure.NOT_MODIFIED;
  }
}
