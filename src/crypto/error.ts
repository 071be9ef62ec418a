/** A ciphertext or message whose checksum is not the one its key gives, or whose length cannot be right. */
export class IntegrityError extends Error {
  override readonly name = 'IntegrityError'
}
