package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"gatehouse/internal/event"
	"gatehouse/internal/hub"
)

func newHubCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "hub", Short: "Set up a hub of its own",
		Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newHubConfigCmd())
	return cmd
}

func newHubConfigCmd() *cobra.Command {
	var o hub.Options
	var tls hub.TLS
	var gates, agencies []string
	cmd := &cobra.Command{
		Use: "config", Short: "Print the nats-server configuration of a hub", Args: cobra.NoArgs,
		Example: `  gatectl hub config --name hub1 --listen 0.0.0.0:4222 --store /var/lib/gatehouse-hub \
    --gate 15BB=UABC... --agency CUSTOMS=UDEF... --agency BORDERGUARD=UGHI... \
    --tls-cert hub.pem --tls-key hub.key > hub.conf`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if tls.Cert != "" || tls.Key != "" {
				o.TLS = &tls
			}
			for _, text := range gates {
				id, nkey, _ := strings.Cut(text, "=")
				o.Gates = append(o.Gates, hub.Gate{ID: id, Nkey: nkey})
			}
			for _, text := range agencies {
				id, nkey, _ := strings.Cut(text, "=")
				o.Agencies = addAgency(o.Agencies, event.Agency(id), nkey)
			}
			text, err := o.Config()
			if err != nil {
				return failed(err)
			}
			fmt.Fprint(cmd.OutOrStdout(), text)
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Name, "name", "hub", "server `NAME`, unique in the cluster")
	f.StringVar(&o.Listen, "listen", "", "`HOST:PORT` to listen on")
	f.StringVar(&o.StoreDir, "store", "", "folder `DIR` of the streams")
	f.StringArrayVar(&gates, "gate", nil, "`ID=NKEY` of a gate; again for each")
	f.StringArrayVar(&agencies, "agency", nil, "`CODE=NKEY` of an agency's console; again for each")
	f.StringVar(&tls.Cert, "tls-cert", "", "certificate `FILE` in PEM")
	f.StringVar(&tls.Key, "tls-key", "", "key `FILE` of the certificate")
	f.StringVar(&tls.CA, "tls-ca", "", "`FILE` of the authority that signs clients' certificates")
	return cmd
}

// addAgency gives an agency one more console.
func addAgency(all []hub.Agency, id event.Agency, nkey string) []hub.Agency {
	for i := range all {
		if all[i].ID == id {
			all[i].Nkeys = append(all[i].Nkeys, nkey)
			return all
		}
	}
	return append(all, hub.Agency{ID: id, Nkeys: []string{nkey}})
}
