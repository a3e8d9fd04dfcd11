/** Where people go. */
import * as THREE from "three";

/** Half of the time over which the followed place is averaged (s): the view does not shake with the hips. */
const HALF_WINDOW = 0.3;

/** The middle of somebody in a row: the hip, or else the mean of the known joints; null if none is known. */
export function middleOf(person, row, out) {
  const hip = person.joints.indexOf("hip");
  if (hip >= 0 && person.point(row, hip, out)) return out;
  const [sum, place] = [new THREE.Vector3(), new THREE.Vector3()];
  const known = person.joints.filter((_, joint) => person.point(row, joint, place) && sum.add(place)).length;
  return known ? out.copy(sum.divideScalar(known)) : null;
}

/** The middle of somebody in every row, smoothed over time; null where it is not known. */
export function smoothedPath(person, times) {
  const known = Array.from({ length: person.length }, (_, row) => middleOf(person, row, new THREE.Vector3()));
  const at = (row) => times[person.first + row];
  let [start, stop] = [0, 0];
  return known.map((_, row) => {
    while (at(row) - at(start) > HALF_WINDOW) start++;
    while (stop < known.length && at(stop) - at(row) <= HALF_WINDOW) stop++;
    const near = known.slice(start, stop).filter(Boolean);
    return near.length ? near.reduce((sum, place) => sum.add(place), new THREE.Vector3()).divideScalar(near.length) : null;
  });
}
