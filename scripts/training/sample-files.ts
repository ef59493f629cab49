/** The samples for git: file name, where the images come from and how many. Both hold the first images of each class, in file order. */
export const SAMPLE_FILES = {
  test: { file: 'fashion-mnist-test.npz', part: 'test', count: 2_000 },
  // As many as calibration methods commonly ask for.
  calibration: { file: 'fashion-mnist-calibration.npz', part: 'train', count: 512 },
} as const
