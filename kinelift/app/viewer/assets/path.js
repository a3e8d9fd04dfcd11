/** The way that somebody goes, as a ribbon on the floor: bright where they have been, faint where they will go. */
import * as THREE from "three";
import { middleOf } from "viewer/motion";

const HALF_WIDTH = 0.016; // metres
const STILL = 1e-3; // metres: shorter steps have no direction

export class Path {
  constructor(scene, person, order) {
    const { geometry, ends } = ribbon(person);
    Object.assign(this, { ends, colour: person.colour });
    this.whole = new THREE.Mesh(geometry, paint(0.35));
    this.past = new THREE.Mesh(geometry.clone(), paint(0.95));
    this.whole.position.y = 0.003 + 0.001 * order;
    this.past.position.y = this.whole.position.y + 0.0005;
    this.whole.frustumCulled = this.past.frustumCulled = false;
    scene.add(this.whole, this.past);
  }

  /** Darken the colour where the floor is light. */
  paint(theme) {
    for (const { material } of [this.whole, this.past]) material.color.set(this.colour).multiplyScalar(theme === "light" ? 0.6 : 1);
  }

  /** Show it up to a row of the person's poses. */
  show(visible, row) {
    this.whole.visible = visible;
    this.past.visible = visible && row > 0;
    this.past.geometry.setDrawRange(0, this.ends[Math.min(row, this.ends.length - 1)] ?? 0);
  }
}

function paint(opacity) {
  return new THREE.MeshBasicMaterial({ transparent: true, opacity, side: THREE.DoubleSide, depthWrite: false });
}

/** The ribbon, and for every row the length of its index up to there. */
function ribbon(person) {
  const [positions, index, ends] = [[], [], []];
  const [here, before, step] = [new THREE.Vector3(), new THREE.Vector3(), new THREE.Vector3()];
  const across = new THREE.Vector3(HALF_WIDTH, 0, 0);
  let connected = false;
  for (let row = 0; row < person.length; row++) {
    const known = middleOf(person, row, here) !== null;
    step.subVectors(here, before).setY(0);
    if (known && connected && step.length() > STILL) across.set(-step.z, 0, step.x).setLength(HALF_WIDTH);
    if (known) {
      const first = positions.length / 3;
      positions.push(here.x + across.x, 0, here.z + across.z, here.x - across.x, 0, here.z - across.z);
      if (connected) index.push(first - 2, first - 1, first, first - 1, first + 1, first);
      before.copy(here);
    }
    connected = known;
    ends.push(index.length);
  }
  const geometry = new THREE.BufferGeometry();
  geometry.setAttribute("position", new THREE.Float32BufferAttribute(positions, 3)).setIndex(index);
  return { geometry, ends };
}
