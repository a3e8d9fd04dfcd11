/** Light, and a floor with a square metre grid that fades out around the place that is looked at. */
import * as THREE from "three";

const FADE = 22; // metres

const VERTEX = `
  varying vec2 place;
  void main() {
    vec4 world = modelMatrix * vec4(position, 1.0);
    place = world.xz;
    gl_Position = projectionMatrix * viewMatrix * world;
  }`;
const FRAGMENT = `
  varying vec2 place;
  uniform vec3 line, floorColour;
  uniform vec2 middle;
  void main() {
    vec2 distanceToLine = abs(fract(place - 0.5) - 0.5) / fwidth(place);
    float grid = 1.0 - min(min(distanceToLine.x, distanceToLine.y) / 1.3, 1.0);
    float fade = 1.0 - smoothstep(0.25, 1.0, length(place - middle) / ${FADE.toFixed(1)});
    gl_FragColor = vec4(mix(floorColour, line, grid * fade), 1.0);
    #include <colorspace_fragment>
  }`;

export class Ground {
  constructor(scene) {
    this.uniforms = {
      line: { value: new THREE.Color() },
      floorColour: { value: new THREE.Color() },
      middle: { value: new THREE.Vector2() },
    };
    const material = new THREE.ShaderMaterial({ uniforms: this.uniforms, vertexShader: VERTEX, fragmentShader: FRAGMENT });
    this.floor = flat(new THREE.PlaneGeometry(6 * FADE, 6 * FADE), material, -0.002);
    this.shade = flat(new THREE.PlaneGeometry(6 * FADE, 6 * FADE), new THREE.ShadowMaterial({ opacity: 0.3 }), 0);
    this.shade.receiveShadow = true;
    this.sun = new THREE.DirectionalLight(0xffffff, 2.2);
    this.sun.castShadow = true;
    this.sun.shadow.mapSize.set(2048, 2048);
    Object.assign(this.sun.shadow.camera, { left: -8, right: 8, top: 8, bottom: -8, near: 1, far: 40 });
    scene.add(this.floor, this.shade, this.sun, this.sun.target, new THREE.HemisphereLight(0xffffff, 0x8890a0, 1.6));
  }

  /** Keep floor, fading and light around a place. */
  moveTo({ x, z }) {
    this.floor.position.set(x, this.floor.position.y, z);
    this.shade.position.set(x, 0, z);
    this.uniforms.middle.value.set(x, z);
    this.sun.position.set(x + 3, 12, z + 5);
    this.sun.target.position.set(x, 0, z);
  }

  paint(line, floorColour) {
    this.uniforms.line.value.copy(line);
    this.uniforms.floorColour.value.copy(floorColour);
  }
}

function flat(geometry, material, height) {
  const mesh = new THREE.Mesh(geometry, material);
  mesh.rotation.x = -Math.PI / 2;
  mesh.position.y = height;
  return mesh;
}
