/** The shapes that figures are made of. Each is placed by the joints that it belongs to. */
import * as THREE from "three";

const UP = new THREE.Vector3(0, 1, 0);
const DASHES = 5;
const BALL = new THREE.SphereGeometry(1, 20, 14);
const ROD = new THREE.CylinderGeometry(1, 1, 1, 14, 1, true);

/** Two materials of a colour: one for what was seen, and a faint one, dashed if wanted, for guesses. */
export function ghostly(colour, dashed) {
  const seen = new THREE.MeshStandardMaterial({ color: colour, roughness: 0.62 });
  const guess = new THREE.MeshStandardMaterial({ color: colour, roughness: 0.62, transparent: true, opacity: 0.38 });
  guess.depthWrite = false;
  const rod = dashed ? guess.clone() : guess;
  if (dashed) Object.assign(rod, { alphaMap: stripes(), alphaTest: 0.1, opacity: 0.6 });
  return { seen, guess, rod };
}

/** A texture of dashes along a rod. */
function stripes() {
  const texture = new THREE.DataTexture(new Uint8Array([255, 255, 255, 255, 0, 0, 0, 255]), 1, 2);
  texture.wrapT = THREE.RepeatWrapping;
  texture.repeat.set(1, DASHES);
  texture.needsUpdate = true;
  return texture;
}

class Shape {
  constructor(geometry, paint) {
    this.paint = paint;
    this.mesh = new THREE.Mesh(geometry, paint.seen);
  }

  /** Hide it if a joint is unknown, make it faint if one is a guess; whether it is to be placed. */
  dress(joints, known, guess, faint = this.paint.guess) {
    const visible = joints.every((joint) => known[joint]);
    const guessed = visible && joints.some(guess);
    this.mesh.visible = visible;
    this.mesh.material = guessed ? faint : this.paint.seen;
    this.mesh.castShadow = !guessed;
    return visible;
  }
}

/** A rod between two joints, whose ends may differ in radius. */
export class Limb extends Shape {
  constructor(a, b, start, end, paint) {
    super(start === end ? ROD : new THREE.CylinderGeometry(end / start, 1, 1, 14, 1, true), paint);
    Object.assign(this, { a, b, radius: start, along: new THREE.Vector3() });
  }

  place(known, guess) {
    if (!this.dress([this.a, this.b], known, guess, this.paint.rod)) return;
    const [a, b] = [known[this.a], known[this.b]];
    const length = Math.max(this.along.subVectors(b, a).length(), 1e-4);
    this.mesh.position.addVectors(a, b).multiplyScalar(0.5);
    this.mesh.quaternion.setFromUnitVectors(UP, this.along.divideScalar(length));
    this.mesh.scale.set(this.radius, length, this.radius);
  }
}

/** A ball at a joint. */
export class Ball extends Shape {
  constructor(joint, radius, paint) {
    super(BALL, paint);
    this.joint = joint;
    this.mesh.scale.setScalar(radius);
  }

  place(known, guess) {
    if (this.dress([this.joint], known, guess)) this.mesh.position.copy(known[this.joint]);
  }
}

/** A head whose top is the joint "head", above the joint that it is attached to. */
export class Skull extends Shape {
  constructor(neck, head, size, paint) {
    super(BALL, paint);
    Object.assign(this, { neck, head, size, along: new THREE.Vector3() });
  }

  place(known, guess) {
    if (!this.dress([this.neck, this.head], known, guess)) return;
    const length = this.along.subVectors(known[this.head], known[this.neck]).length();
    const half = Math.min(Math.max(0.6 * length, 0.09 * this.size), 0.125 * this.size);
    this.along.divideScalar(Math.max(length, 1e-4));
    this.mesh.position.copy(known[this.head]).addScaledVector(this.along, -half);
    this.mesh.quaternion.setFromUnitVectors(UP, this.along);
    this.mesh.scale.set(0.078 * this.size, half, 0.09 * this.size);
  }
}
