// What the tools above engines made of containers, told by labels and names alone: projects of
// Compose, pods of Kubernetes, clusters of KinD, plugins of Docker, apps of Industrial Edge,
// devcontainers and codespaces.
//
// The words are those of lxkns (types, flavors, labels that it adds), whose clients know them.
// Everything here rests on what whoever made a container wrote into it.

#ifndef NSCTL_ENGINES_DECORATORS_H_
#define NSCTL_ENGINES_DECORATORS_H_

#include <map>
#include <string>
#include <vector>

#include "engines/container.h"

namespace nsctl::engines {

inline constexpr int kNoEngine = -1;

struct DecoratedContainer {
  const Container* container;
  // Index into Decorations.engines.
  int engine;
  // With containerd's namespace before them, but for "default" and Kubernetes's.
  std::string id = "";
  std::string name = "";
  // "docker.com"; what it is beyond that: "plugin.docker.com".
  std::string type = "";
  std::string flavor = "";
  std::map<std::string, std::string> labels = {};
  // Indexes into Decorations.groups, ascending.
  std::vector<int> groups = {};
};

struct DecoratedEngine {
  const Engine* engine;
  std::string type;
  // Index of the engine that it runs in a container of; kNoEngine where there is none.
  int parent = kNoEngine;
  // Indexes into Decorations.containers.
  std::vector<int> containers = {};
};

struct ContainerGroup {
  std::string name;
  std::string type;
  std::string flavor;
  // Indexes into Decorations.containers.
  std::vector<int> containers = {};
};

// Points into what it was made of.
struct Decorations {
  // Those with containers, by key. One that serves Kubernetes beside others is two.
  std::vector<DecoratedEngine> engines;
  // Those with a process, in the order of `containers`.
  std::vector<DecoratedContainer> containers;
  // Each of one engine: by engine, type and name.
  std::vector<ContainerGroup> groups;
};

Decorations Decorate(const Containers& containers);

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_DECORATORS_H_
