/** What stands above somebody's head in the 3D view: number and action. */
import * as THREE from "three";
import { make } from "viewer/dom";

export class Label {
  #at = null;
  #projected = new THREE.Vector3();

  constructor(parent, person) {
    this.action = make("span");
    this.element = make("div", { class: "label", "--colour": person.colour }, make("b", {}, String(person.id)), this.action);
    parent.append(this.element);
  }

  /** Show it at a place in the world; null = not at all. */
  show(place, person, time, selected) {
    this.#at = place;
    this.action.textContent = person.actionAt(time)?.label ?? "";
    this.element.classList.toggle("selected", selected);
  }

  /** Move it to where its place is on the canvas now. */
  place(camera, canvas) {
    const { x, y, z } = this.#at ? this.#projected.copy(this.#at).project(camera) : { z: 2 };
    this.element.hidden = Math.abs(z) > 1;
    if (this.element.hidden) return;
    const [left, top] = [((x + 1) / 2) * canvas.clientWidth, ((1 - y) / 2) * canvas.clientHeight];
    this.element.style.transform = `translate(${left.toFixed(1)}px, ${top.toFixed(1)}px) translate(-50%, -100%)`;
  }
}
