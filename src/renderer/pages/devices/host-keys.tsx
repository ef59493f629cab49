import classes from './host-key.module.css'
import type { HostKeyDetails } from './host-key-details.ts'

/** The key on file and the key that was shown, below each other, so that they can be compared by eye. */
export function HostKeys({ details }: { details: HostKeyDetails }) {
  return (
    <>
      <div>
        <div className="es-dim">On file</div>
        {details.knownFingerprints.length > 0 ? (
          details.knownFingerprints.map((fingerprint) => (
            <div key={fingerprint} className={classes.fingerprint}>
              {fingerprint}
            </div>
          ))
        ) : (
          <div className={classes.fingerprint}>a key that was revoked</div>
        )}
      </div>
      <div>
        <div className="es-dim">Shown now by {details.address}</div>
        <div className={`${classes.fingerprint} ${classes.wrong}`}>{details.fingerprint ?? 'unknown'}</div>
      </div>
    </>
  )
}
