/** Where people go. */
import * as THREE from "three";

/** Half of the time over which the followed place is averaged (s): the view does not shake with the hips. */
const HALF_WINDOW = 0.3;

/** The joint in the middle of the body. */
export function rootOf(person) {
  const middle = person.joints.indexOf("hip");
  return middle >= 0 ? middle : 0;
}

/** The place of the hips in every row, smoothed over time; null where it is not known. */
export function hipPath(person, times) {
  const known = Array.from({ length: person.length }, (_, row) => person.point(row, rootOf(person), new THREE.Vector3()));
  const at = (row) => times[person.first + row];
  let [start, stop] = [0, 0];
  return known.map((_, row) => {
    while (at(row) - at(start) > HALF_WINDOW) start++;
    while (stop < known.length && at(stop) - at(row) <= HALF_WINDOW) stop++;
    const near = known.slice(start, stop).filter(Boolean);
    return near.length ? near.reduce((sum, place) => sum.add(place), new THREE.Vector3()).divideScalar(near.length) : null;
  });
}
