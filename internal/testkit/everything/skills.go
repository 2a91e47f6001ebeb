package everything

import (
	"crypto/sha256"
	"fmt"
	"strings"
)

// skillFile is one file of the one skill that is served.
type skillFile struct {
	uri, name, description, text string
}

const (
	skillRoot        = "skill://tide-tables"
	skillName        = "tide-tables"
	skillDescription = "Read a tide table and say when a harbour can be entered."
)

var skillFiles = []skillFile{
	{
		skillRoot + "/SKILL.md", skillName, skillDescription,
		"---\nname: " + skillName + "\ndescription: " + skillDescription + "\n---\n\n" +
			"Look the harbour up in reference/harbours.md, then add its bar depth to the height of the tide.\n",
	},
	{
		skillRoot + "/reference/harbours.md", "harbours", "Bar depths of three harbours.",
		"| harbour | bar |\n| --- | --- |\n| Nieuwpoort | 0.9 m |\n| Gravelines | 0.4 m |\n| Wissant | dries |\n",
	},
}

func skillEntry() object {
	var files []object
	for _, f := range skillFiles {
		files = append(files, object{
			"uri": f.uri, "size": len(f.text),
			"digest": fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(f.text))),
		})
	}
	return object{
		"uri":         skillFiles[0].uri,
		"frontmatter": object{"name": skillName, "description": skillDescription},
		"resources":   files,
	}
}

func listSkills() object {
	return object{"skills": []object{skillEntry()}, "ttlMs": 0, "cacheScope": "public"}
}

func getSkill(uri string) (object, *rpcError) {
	if uri != skillFiles[0].uri {
		return nil, invalid("no skill has this URI")
	}
	return object{"skill": skillEntry(), "ttlMs": 0, "cacheScope": "public"}, nil
}

func readDirectory(uri string) (object, *rpcError) {
	dir := strings.TrimSuffix(uri, "/") + "/"
	children, seen := []object{}, map[string]bool{}
	for _, f := range skillFiles {
		rest, inside := strings.CutPrefix(f.uri, dir)
		if !inside {
			continue
		}
		name, _, below := strings.Cut(rest, "/")
		switch {
		case !below:
			children = append(children, object{"uri": f.uri, "name": f.name, "mimeType": "text/markdown", "size": len(f.text)})
		case !seen[name]:
			seen[name] = true
			children = append(children, object{"uri": dir + name, "name": name, "mimeType": "inode/directory"})
		}
	}
	if len(children) == 0 {
		return nil, invalid("this URI names no directory")
	}
	return object{"resources": children, "ttlMs": 0, "cacheScope": "public"}, nil
}
