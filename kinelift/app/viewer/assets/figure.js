/** One person in 3D, as a skeleton in the colours of left and right, or as a simple body in the person's colour. */
import * as THREE from "three";
import { LIMBS, TORSO_BONES, limbScale } from "viewer/proportions";
import { Limb, Ball, Skull, ghostly } from "viewer/shapes";
import { Torso } from "viewer/torso";

const BONE = 0.017; // radii in metres
const JOINT = 0.026;

export class Figure {
  /** The place above the head, for a label; null while the person is not there. */
  top = null;

  constructor(scene, person, sides) {
    this.person = person;
    this.places = person.joints.map(() => new THREE.Vector3());
    this.size = limbScale(person);
    this.groups = { skeleton: new THREE.Group(), body: new THREE.Group() };
    this.parts = { skeleton: this.#skeleton(sides), body: this.#body() };
    for (const [mode, group] of Object.entries(this.groups)) {
      group.add(...this.parts[mode].map((part) => part.mesh));
      scene.add(group);
    }
  }

  #skeleton(sides) {
    const { bones, sides: sideOf, colour, joints } = this.person;
    const paint = Object.fromEntries(Object.entries(sides).map(([side, value]) => [side, ghostly(value, true)]));
    const head = joints.indexOf("head");
    return [
      ...bones.map(([a, b]) => new Limb(a, b, BONE, BONE, paint[sideOf[b]])),
      ...joints.map((_, j) => j).filter((j) => j !== head).map((j) => new Ball(j, JOINT, paint[sideOf[j]])),
      ...this.#head(ghostly(colour, false), 0.8),
    ];
  }

  #body() {
    const { bones, joints, colour } = this.person;
    const paint = ghostly(colour, false);
    const torso = Torso.of(joints, this.size, paint);
    const parts = torso ? [torso] : [];
    for (const [a, b] of bones) {
      if (joints[b] === "head" || (torso && TORSO_BONES.has(joints[b]))) continue;
      const [start, end] = (LIMBS[joints[b].replace(/^(left|right)_/, "")] ?? LIMBS.other).map((r) => r * this.size);
      parts.push(new Limb(a, b, start, end, paint), new Ball(a, start, paint), new Ball(b, end, paint));
    }
    return [...parts, ...this.#head(paint, 1)];
  }

  #head(paint, share) {
    const head = this.person.joints.indexOf("head");
    const bone = this.person.bones.find(([, b]) => b === head);
    return bone ? [new Skull(bone[0], head, share * this.size, paint)] : [];
  }

  /** Show a row of the person's poses; -1 = not there. */
  show(row, mode) {
    this.top = null;
    for (const [name, group] of Object.entries(this.groups)) group.visible = row >= 0 && name === mode;
    if (row < 0) return;
    const known = this.places.map((place, joint) => this.person.point(row, joint, place));
    const guess = (joint) => this.person.isGuess(row, joint);
    for (const part of this.parts[mode]) part.place(known, guess);
    const highest = known.filter(Boolean).reduce((top, place) => (!top || place.y > top.y ? place : top), null);
    this.top = highest && new THREE.Vector3(highest.x, highest.y + 0.16, highest.z);
    for (const group of Object.values(this.groups)) group.visible &&= highest !== null;
  }
}
