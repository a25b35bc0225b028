// SPDX-License-Identifier: Apache-2.0

// Gophercloud's database service as a program: calls come as lines of JSON, {"call": "package.Function", "kwargs": {…}},
// after a first line with the environment; each is answered with a line, {"result"} or {"error", "kind", "code"}.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/gophercloud/gophercloud"
	"github.com/gophercloud/gophercloud/openstack"
	"github.com/gophercloud/gophercloud/openstack/db/v1/configurations"
	"github.com/gophercloud/gophercloud/openstack/db/v1/databases"
	"github.com/gophercloud/gophercloud/openstack/db/v1/datastores"
	"github.com/gophercloud/gophercloud/openstack/db/v1/flavors"
	"github.com/gophercloud/gophercloud/openstack/db/v1/instances"
	"github.com/gophercloud/gophercloud/openstack/db/v1/users"
	"github.com/gophercloud/gophercloud/pagination"
)

type values map[string]interface{}

// text is the named value, empty where it is missing.
func (v values) text(name string) string {
	text, _ := v[name].(string)
	return text
}

// settings are a configuration group's values, which come as a JSON object's text.
func (v values) settings() (found map[string]interface{}) {
	_ = json.Unmarshal([]byte(v.text("values")), &found)
	return found
}

func connect(environment map[string]string) (*gophercloud.ServiceClient, error) {
	provider, err := openstack.NewClient(environment["OS_AUTH_URL"])
	if err != nil {
		return nil, err
	}
	if path := environment["OS_CACERT"]; path != "" {
		certificate, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(certificate)
		provider.HTTPClient = http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	}
	err = openstack.Authenticate(provider, gophercloud.AuthOptions{
		IdentityEndpoint: environment["OS_AUTH_URL"], Username: environment["OS_USERNAME"], Password: environment["OS_PASSWORD"],
		DomainName: environment["OS_USER_DOMAIN_NAME"],
		Scope: &gophercloud.AuthScope{
			ProjectName: environment["OS_PROJECT_NAME"], DomainName: environment["OS_PROJECT_DOMAIN_NAME"],
		},
	})
	if err != nil {
		return nil, err
	}
	return openstack.NewDBV1(provider, gophercloud.EndpointOpts{Region: environment["OS_REGION_NAME"]})
}

// all reads every page of a list.
func all(pager pagination.Pager, extract func(pagination.Page) (interface{}, error)) (interface{}, error) {
	page, err := pager.AllPages()
	if err != nil {
		return nil, err
	}
	return extract(page)
}

func create(client *gophercloud.ServiceClient, v values) (interface{}, error) {
	database := databases.BatchCreateOpts{{Name: v.text("database")}}
	return instances.Create(client, instances.CreateOpts{
		FlavorRef: "1", Size: 1, Name: v.text("name"), Databases: database,
		Users:     users.BatchCreateOpts{{Name: v.text("user"), Password: v.text("password"), Databases: database}},
		Datastore: &instances.DatastoreOpts{Type: "mariadb", Version: "10.11"},
	}).Extract()
}

func call(client *gophercloud.ServiceClient, name string, v values) (interface{}, error) {
	switch name {
	case "instances.Create":
		return create(client, v)
	case "instances.List":
		return all(instances.List(client), func(p pagination.Page) (interface{}, error) { return instances.ExtractInstances(p) })
	case "instances.Get":
		return instances.Get(client, v.text("id")).Extract()
	case "instances.Delete":
		return nil, instances.Delete(client, v.text("id")).ExtractErr()
	case "instances.EnableRootUser":
		return instances.EnableRootUser(client, v.text("id")).Extract()
	case "instances.IsRootEnabled":
		return instances.IsRootEnabled(client, v.text("id")).Extract()
	case "instances.Restart":
		return nil, instances.Restart(client, v.text("id")).ExtractErr()
	case "instances.Resize":
		return nil, instances.Resize(client, v.text("id"), v.text("flavor")).ExtractErr()
	case "instances.ResizeVolume":
		size, _ := v["size"].(float64)
		return nil, instances.ResizeVolume(client, v.text("id"), int(size)).ExtractErr()
	case "instances.AttachConfigurationGroup":
		return nil, instances.AttachConfigurationGroup(client, v.text("id"), v.text("configuration")).ExtractErr()
	case "instances.DetachConfigurationGroup":
		return nil, instances.DetachConfigurationGroup(client, v.text("id")).ExtractErr()
	case "databases.Create":
		return nil, databases.Create(client, v.text("id"), databases.BatchCreateOpts{{Name: v.text("name")}}).ExtractErr()
	case "databases.List":
		return all(databases.List(client, v.text("id")), func(p pagination.Page) (interface{}, error) { return databases.ExtractDBs(p) })
	case "databases.Delete":
		return nil, databases.Delete(client, v.text("id"), v.text("name")).ExtractErr()
	case "users.Create":
		return nil, users.Create(client, v.text("id"), users.BatchCreateOpts{{
			Name: v.text("name"), Password: v.text("password"), Databases: databases.BatchCreateOpts{{Name: v.text("database")}},
		}}).ExtractErr()
	case "users.List":
		return all(users.List(client, v.text("id")), func(p pagination.Page) (interface{}, error) { return users.ExtractUsers(p) })
	case "users.Delete":
		return nil, users.Delete(client, v.text("id"), v.text("name")).ExtractErr()
	}
	return callCatalogue(client, name, v)
}

func callCatalogue(client *gophercloud.ServiceClient, name string, v values) (interface{}, error) {
	parameters := func(p pagination.Page) (interface{}, error) { return configurations.ExtractParams(p) }
	switch name {
	case "configurations.List":
		return all(configurations.List(client), func(p pagination.Page) (interface{}, error) { return configurations.ExtractConfigs(p) })
	case "configurations.Create":
		return configurations.Create(client, configurations.CreateOpts{
			Name: v.text("name"), Values: v.settings(), Datastore: &configurations.DatastoreOpts{Type: "mariadb", Version: "10.11"},
		}).Extract()
	case "configurations.Get":
		return configurations.Get(client, v.text("configuration")).Extract()
	case "configurations.Update":
		return nil, configurations.Update(client, v.text("configuration"), configurations.UpdateOpts{Values: v.settings()}).ExtractErr()
	case "configurations.Replace":
		return nil, configurations.Replace(client, v.text("configuration"), configurations.UpdateOpts{Values: v.settings()}).ExtractErr()
	case "configurations.Delete":
		return nil, configurations.Delete(client, v.text("configuration")).ExtractErr()
	case "configurations.ListInstances":
		return all(configurations.ListInstances(client, v.text("configuration")), func(p pagination.Page) (interface{}, error) {
			return instances.ExtractInstances(p)
		})
	case "configurations.ListDatastoreParams":
		return all(configurations.ListDatastoreParams(client, v.text("datastore"), v.text("version")), parameters)
	case "configurations.GetDatastoreParam":
		return configurations.GetDatastoreParam(client, v.text("datastore"), v.text("version"), v.text("name")).Extract()
	case "configurations.ListGlobalParams":
		return all(configurations.ListGlobalParams(client, v.text("version_id")), parameters)
	case "configurations.GetGlobalParam":
		return configurations.GetGlobalParam(client, v.text("version_id"), v.text("name")).Extract()
	case "datastores.List":
		return all(datastores.List(client), func(p pagination.Page) (interface{}, error) { return datastores.ExtractDatastores(p) })
	case "datastores.Get":
		return datastores.Get(client, v.text("datastore")).Extract()
	case "datastores.ListVersions":
		return all(datastores.ListVersions(client, v.text("datastore")), func(p pagination.Page) (interface{}, error) {
			return datastores.ExtractVersions(p)
		})
	case "datastores.GetVersion":
		return datastores.GetVersion(client, v.text("datastore"), v.text("version")).Extract()
	case "flavors.List":
		return all(flavors.List(client), func(p pagination.Page) (interface{}, error) { return flavors.ExtractFlavors(p) })
	case "flavors.Get":
		return flavors.Get(client, v.text("flavor")).Extract()
	}
	return nil, fmt.Errorf("this program has no call %q", name)
}

// failure is what an error says, with the status that was answered.
func failure(err error) values {
	answer := values{"error": err.Error(), "kind": fmt.Sprintf("%T", err)}
	var status gophercloud.StatusCodeError
	if errors.As(err, &status) {
		answer["code"] = status.GetStatusCode()
	}
	return answer
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	lines.Scan()
	var environments map[string]map[string]string
	if err := json.Unmarshal(lines.Bytes(), &environments); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	client, err := connect(environments["member"])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	answers := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var asked struct {
			Call   string
			Kwargs values
		}
		answer := values{}
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			answer = failure(err)
		} else if result, err := call(client, asked.Call, asked.Kwargs); err != nil {
			answer = failure(err)
		} else {
			answer["result"] = result
		}
		if err := answers.Encode(answer); err != nil {
			os.Exit(1)
		}
	}
}
