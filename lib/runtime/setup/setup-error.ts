import { type ErrorCode, SpikingRxError } from '../../errors.js'

/** What can go wrong while libtorch is fetched; docs/errors.md explains each. */
export type SetupErrorCode =
  | 'ERR_SETUP_SOURCE'
  | 'ERR_SETUP_NETWORK'
  | 'ERR_SETUP_CHECKSUM'
  | 'ERR_SETUP_ARCHIVE'
  | 'ERR_SETUP_DISK'
  | 'ERR_SETUP_DRIVER'
  | 'ERR_SETUP_VERIFY'

/** libtorch could not be set up. */
export class SetupError extends SpikingRxError {
  override readonly name = 'SetupError'
  constructor(
    message: string,
    code: SetupErrorCode & ErrorCode,
    details: Record<string, unknown> = {},
    cause?: unknown,
  ) {
    super(message, code, details, cause)
  }
}

const DISK_CODES: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'a part of the path is no folder',
}

/** `ERR_SETUP_DISK` for a file system's refusal, anything else as it is. */
export function diskError(error: unknown, path: string): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code
  const reason = code === undefined ? undefined : DISK_CODES[code]
  if (reason === undefined) return error
  return new SetupError(
    `${path} can't be written: ${reason}. Free space or set XDG_CACHE_HOME to another folder`,
    'ERR_SETUP_DISK',
    { path },
    error,
  )
}
