/** What a person can do about a failed connection, besides trying again. */
export interface ReviewSteps {
  /** In a sentence; where the error has no hint this is all there is. */
  readonly advice: string
  /** The stored way to reach the device is what failed: it has to be given anew. */
  readonly addAgain: boolean
}

const login = { advice: 'The way to log in did not work. Remove the device here and add it again with another one.', addAgain: true }
const unfit = { advice: 'The device itself has to change; then try again.', addAgain: false }

const steps: ReadonlyMap<string, ReviewSteps> = new Map(
  Object.entries({
    DEVICE_UNREACHABLE: {
      advice: 'Is the device on and in the same network? Does its address still hold? Try again, or add it again with another address.',
      addAgain: true,
    },
    DEVICE_AUTH_FAILED: login,
    PASSWORD_NEEDED: login,
    KEY_UNREADABLE: login,
    QUESTION_UNANSWERED: {
      advice: 'The device asked something and got no answer. Try again and answer in the window that opens.',
      addAgain: false,
    },
    SSH_CONFIG_INVALID: { advice: 'Correct ~/.ssh/config, then try again; it is read at every connection.', addAgain: false },
    HOST_KEY_CHANGED: {
      advice:
        'If you set the device up anew, read its fingerprint on the device itself, then remove it here and add it again with that fingerprint (Advanced). If not, somebody may be posing as it.',
      addAgain: true,
    },
    HOST_KEY_MISMATCH: {
      advice: 'The device shows another key than the one confirmed. Read the fingerprint on the device itself before you go on.',
      addAgain: true,
    },
    HOST_KEY_UNKNOWN: {
      advice: 'The host key, or the key of a jump host, was never confirmed. Add the device again and compare the fingerprint.',
      addAgain: true,
    },
    DEVICE_UNSUPPORTED: unfit,
    DEVICE_GLIBC_TOO_OLD: unfit,
    DEVICE_LIBRARY_MISSING: unfit,
    DEVICE_NOEXEC: unfit,
    DEVICE_NO_SPACE: unfit,
    CONNECTION_LOST: { advice: 'The link broke and could not be made again. Check power and network of the device.', addAgain: false },
    BUNDLE_CORRUPT: { advice: 'Try again: what arrived damaged is sent anew.', addAgain: false },
    AGENT_UNTRUSTED: {
      advice: 'The agent on the device was changed, or another computer put it there. Try again: it is sent anew.',
      addAgain: false,
    },
  }),
)

/** What to do about an error code. */
export function reviewSteps(code: string): ReviewSteps {
  return steps.get(code) ?? { advice: 'Try again. The log says what happened before.', addAgain: false }
}
