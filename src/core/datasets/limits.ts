/** Limits on dataset files, so that a broken or hostile one costs bounded time and memory. */
export const DATASET_LIMITS = {
  /** A file as stored; Node.js reads up to 2 GiB − 1 at once. */
  fileBytes: 2 ** 31 - 1,
  /** All arrays of a dataset, decompressed: they are held in memory. */
  arrayBytes: 2 ** 31 - 1,
  /** An array in a file of its own, read batch by batch: more than any disk in sight holds, and byte positions stay exact. */
  arrayFileBytes: 2 ** 42,
  /** Values to regress, all samples together: they are held in memory (512 MB). */
  targetValues: 2 ** 27,
  /** Arrays in an .npz; one for each input and the labels are a handful. */
  arrays: 1_000,
  /** Dimensions of an array; NumPy's limit. */
  rank: 64,
  /** Bytes of an .npy header; NumPy writes 118, and up to some kilobytes for record types. */
  headerBytes: 2 ** 20,
  /** Different class labels; ImageNet-21k has 21,843. */
  classes: 100_000,
} as const
