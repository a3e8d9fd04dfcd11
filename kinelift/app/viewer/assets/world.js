/** The 3D view: everybody on one floor. It is drawn only when something has changed. */
import * as THREE from "three";
import { OrbitControls } from "three/orbit-controls";
import { find, findAll } from "viewer/dom";
import { Figure } from "viewer/figure";
import { Ground } from "viewer/ground";
import { Label } from "viewer/label";
import { smoothedPath } from "viewer/motion";
import { Path } from "viewer/path";

const FIELD_OF_VIEW = 32; // degrees
/** Height of the view in metres where nothing else is known: somebody fills half of it. */
const VIEW_HEIGHT = 3.2;
const TURN = 0.08; // radians a key press
const ZOOM = 1.1;
/** How far a view is turned from the camera's (radians). */
const ANGLES = { start: 0.5, side: Math.PI / 2 };
const HIGHEST = 0.497 * Math.PI; // the view stays above the floor

export class World {
  #drawn = true;

  constructor(clip, state) {
    this.clip = clip;
    this.state = state;
    this.section = find("#world");
    this.canvas = find("canvas", this.section);
    this.renderer = new THREE.WebGLRenderer({ canvas: this.canvas, antialias: true });
    this.renderer.shadowMap.enabled = true;
    this.renderer.shadowMap.type = THREE.PCFSoftShadowMap;
    this.scene = new THREE.Scene();
    this.camera = new THREE.PerspectiveCamera(FIELD_OF_VIEW, 1, 0.05, 500);
    this.ground = new Ground(this.scene);
    this.#fill();
    this.controls = new OrbitControls(this.camera, this.canvas);
    this.controls.maxPolarAngle = HIGHEST;
    this.controls.addEventListener("change", () => this.draw());
    this.#listen();
  }

  #fill() {
    const shown = this.clip.people.filter((person) => person.length);
    this.actors = shown.map((person, order) => ({
      person,
      figure: new Figure(this.scene, person, this.clip.sides),
      path: new Path(this.scene, person, order),
      label: new Label(find(".labels", this.section), person),
      places: smoothedPath(person, this.clip.times),
    }));
  }

  #listen() {
    new ResizeObserver(() => this.#resize()).observe(this.canvas);
    this.canvas.addEventListener("mousedown", (event) => event.preventDefault()); // keeps the arrow keys for the frames
    this.canvas.addEventListener("keydown", (event) => this.#key(event));
    this.state.watch(["frame", "mode", "paths", "hidden"], () => this.#update());
    this.state.watch(["follow", "selected"], () => this.#update());
    this.state.watch(["theme"], () => this.#repaint());
    find("[data-view=camera]", this.section).hidden = !this.clip.camera;
    for (const button of findAll("[data-view]", this.section)) button.onclick = () => this.look(button.dataset.view);
  }

  /** Place everybody as in the present frame. */
  #update() {
    const { frame, mode, paths, hidden, selected } = this.state.values;
    for (const { person, figure, path, label } of this.actors) {
      const row = hidden.has(person.id) ? -1 : person.rowOf(frame);
      figure.show(row, mode);
      path.show(paths && !hidden.has(person.id), frame - person.first);
      label.show(figure.top, person, this.clip.times[frame], person.id === selected);
    }
    this.#follow();
    this.draw();
  }

  /** Move the view along with the selected person. */
  #follow() {
    const { follow, selected, frame } = this.state.values;
    const actor = this.actors.find(({ person }) => person.id === selected);
    const place = follow && actor?.places[actor.person.rowOf(frame)];
    if (!place || !this.controls) return;
    this.camera.position.add(place).sub(this.controls.target);
    this.controls.target.copy(place);
    this.controls.update();
  }

  /** Look from the video's camera ("camera"), or at a person from its direction ("front"), across it, or from above. */
  look(view) {
    if (view === "camera" && !this.clip.camera) return;
    if (view === "camera") this.state.set({ follow: false });
    const middle = this.#middle();
    this.controls.target.copy(middle);
    this.camera.fov = FIELD_OF_VIEW;
    this.camera.position.copy(middle).add(this.#arm(view));
    if (view === "camera") this.#standAtCamera(middle);
    this.camera.updateProjectionMatrix();
    this.controls.update();
    this.draw();
  }

  /** From what is looked at to the eye. */
  #arm(view) {
    const distance = VIEW_HEIGHT / 2 / Math.tan(THREE.MathUtils.degToRad(FIELD_OF_VIEW / 2));
    const { forward, position } = this.clip.camera ?? {};
    const arm = forward ? new THREE.Vector3(...forward).negate() : new THREE.Vector3(...(position ?? [0, 0, 1]));
    if (!arm.setY(0).lengthSq()) arm.set(0, 0, 1);
    arm.normalize();
    if (view === "top") return arm.multiplyScalar(0.01).setY(1).multiplyScalar(2 * distance);
    return arm.applyAxisAngle(this.camera.up, ANGLES[view] ?? 0).setY(0.2).setLength(distance);
  }

  #standAtCamera(middle) {
    const { position, forward, fov } = this.clip.camera;
    this.camera.fov = this.#fitted(fov);
    this.camera.position.set(...position);
    if (!forward) return;
    const ahead = new THREE.Vector3(...forward);
    const distance = Math.max(middle.clone().sub(this.camera.position).dot(ahead), 1);
    this.controls.target.copy(this.camera.position).addScaledVector(ahead, distance);
  }

  /** The vertical field of view that shows the whole width of the video, too. */
  #fitted(fov) {
    const [width, height] = this.clip.size;
    const half = Math.tan(THREE.MathUtils.degToRad(fov / 2));
    return THREE.MathUtils.radToDeg(2 * Math.atan(half * Math.max(1, width / height / this.camera.aspect)));
  }

  /** The selected person's place, or the middle of those who are there. */
  #middle() {
    const { frame, selected, follow } = this.state.values;
    const now = ({ person, places }) => places[person.rowOf(frame)];
    const chosen = this.actors.filter(({ person }) => follow && person.id === selected).map(now).filter(Boolean);
    const there = chosen.length ? chosen : this.actors.map(now).filter(Boolean);
    const known = there.length ? there : this.actors.flatMap(({ places }) => places.find(Boolean) ?? []);
    const sum = known.reduce((total, place) => total.add(place), new THREE.Vector3());
    return known.length ? sum.divideScalar(known.length) : sum.setY(0.9);
  }

  /** While the canvas has the focus, the arrow keys turn the view. */
  #key(event) {
    const turns = { ArrowLeft: [-TURN, 0], ArrowRight: [TURN, 0], ArrowUp: [0, -TURN], ArrowDown: [0, TURN] };
    const zooms = { "+": 1 / ZOOM, "=": 1 / ZOOM, "-": ZOOM };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (!(event.key in turns) && !(event.key in zooms)) return;
    const arm = new THREE.Spherical().setFromVector3(this.camera.position.clone().sub(this.controls.target));
    const [across, down] = turns[event.key] ?? [0, 0];
    arm.theta += across;
    arm.phi = Math.min(Math.max(arm.phi + down, 0.01), HIGHEST);
    arm.radius *= zooms[event.key] ?? 1;
    this.camera.position.setFromSpherical(arm).add(this.controls.target);
    this.controls.update();
    event.preventDefault();
    event.stopPropagation();
  }

  #repaint() {
    const style = getComputedStyle(this.section);
    const colour = (name) => new THREE.Color(style.getPropertyValue(name).trim());
    this.scene.background = colour("--world");
    this.ground.paint(colour("--floor-line"), colour("--world"));
    for (const { path } of this.actors) path.paint(this.state.get("theme"));
    this.draw();
  }

  #resize() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width || !height) return;
    this.renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    this.camera.updateProjectionMatrix();
    this.#render();
  }

  /** Draw before the next picture of the screen. */
  draw() {
    if (!this.#drawn) return;
    this.#drawn = false;
    requestAnimationFrame(() => this.#render());
  }

  #render() {
    this.#drawn = true;
    this.ground.moveTo(this.controls.target);
    this.renderer.render(this.scene, this.camera);
    for (const { label } of this.actors) label.place(this.camera, this.canvas);
  }
}
