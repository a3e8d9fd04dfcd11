/** Thicknesses of an average body, by the joint at the end of each bone: radii in metres at its start and its end. */
export const LIMBS = {
  knee: [0.078, 0.054],
  ankle: [0.052, 0.036],
  heel: [0.034, 0.03],
  toe: [0.036, 0.026],
  big_toe: [0.036, 0.026],
  small_toe: [0.03, 0.022],
  elbow: [0.047, 0.037],
  wrist: [0.037, 0.027],
  hand: [0.03, 0.028],
  foot: [0.036, 0.03],
  neck: [0.055, 0.05],
  other: [0.05, 0.05],
};

/** Joints whose bones lie inside the trunk. */
export const TORSO_BONES = new Set(["left_hip", "right_hip", "left_shoulder", "right_shoulder", "spine", "thorax"]);

/** Length of thigh and shin of the body that ``LIMBS`` belong to (m). */
const AVERAGE_LEG = 0.84;
const ROWS = 50;

/** How much larger than average somebody is, by the median length of the legs. */
export function limbScale(person) {
  const names = ["left_hip", "left_knee", "left_ankle"].map((name) => person.joints.indexOf(name));
  if (names.includes(-1)) return 1;
  const lengths = [];
  for (let row = 0; row < person.length; row += Math.ceil(person.length / ROWS)) {
    const [hip, knee, ankle] = names.map((joint) => person.point(row, joint, {}));
    if (hip && knee && ankle) lengths.push(distance(hip, knee) + distance(knee, ankle));
  }
  lengths.sort((a, b) => a - b);
  const leg = lengths[lengths.length >> 1] ?? AVERAGE_LEG;
  return Math.min(Math.max(leg / AVERAGE_LEG, 0.3), 2);
}

function distance(a, b) {
  return Math.hypot(a.x - b.x, a.y - b.y, a.z - b.z);
}
